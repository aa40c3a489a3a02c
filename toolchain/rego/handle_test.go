package rego

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	opa "github.com/open-policy-agent/opa/v1/ast"
)

const crm = `package mcp.crm

# METADATA
# title: Support reads customers
# custom: {id: CRM-A1}
allow contains {"rule": rego.metadata.rule()} if {
	input.action.tool == "get_customer"
}

# METADATA
# title: No exports
# custom: {id: CRM-D1, code: export_forbidden}
deny contains {"rule": rego.metadata.rule()} if input.action.tool == "export_customers"
`

func ask(t *testing.T, request map[string]any) Response {
	t.Helper()
	text, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	var response Response
	if err := json.Unmarshal([]byte(Handle(string(text))), &response); err != nil {
		t.Fatal(err)
	}
	return response
}

func checked(t *testing.T, layer, source string) []Problem {
	t.Helper()
	response := ask(t, map[string]any{
		"op":            "check",
		"modules":       map[string]string{"p.rego": source},
		"manifest":      map[string]any{"metadata": map[string]any{"layer": layer}},
		"host_builtins": []string{"time.now_ns"},
	})
	if response.Fault != "" {
		t.Fatal(response.Fault)
	}
	return response.Problems
}

func TestContractProblems(t *testing.T) {
	cases := []struct{ name, layer, source, code, message string }{
		{"a near miss", "server", "package p\n\ndenies contains 1 if input.x", "contract_near_miss", "did you mean deny?"},
		{"a slip in a long name", "server", "package p\n\nrequire_aproval contains 1 if input.x", "contract_near_miss", "did you mean require_approval?"},
		{"an underscore", "server", "package p\n\ndeny_ contains 1 if input.x", "contract_near_miss", "did you mean deny?"},
		{"a conftest name", "server", "package p\n\ndeny_export contains 1 if input.x", "contract_near_miss", "never read"},
		{"a grant outside the server", "compliance", "package p\n\nallow contains 1 if input.x", "contract_layer", "belongs to layer server"},
		{"an unknown layer", "srever", "package p\n\nallow contains 1 if input.x", "contract_layer", "srever"},
		{"a boolean denial", "server", "package p\n\ndeny if input.x", "contract_shape", "deny contains"},
		{"a function", "server", "package p\n\ndeny(x) if x == 1", "contract_shape", "deny contains"},
		{"an object grant", "server", "package p\n\nallow := {\"allowed\": true}", "contract_shape", "or a boolean"},
		{"a reserved name", "server", "package p\n\ndeny contains 1 if classify\n\nclassify if input.x", "contract_reserved", "classify"},
		{"no rule at all", "server", "package p\n\nx := 1", "contract_empty", "defines none"},
		{"what a client sent in hide", "server", "package p\n\nhide contains 1 if input.action.message.mode == \"url\"", "contract_visibility", "input.action.message"},
		{"arguments in hide", "server", "package p\n\nhide contains 1 if f\n\nf if input.action.args.id == 1", "contract_visibility", "input.action.args"},
		{"the whole input in hide", "server", "package p\n\nhide contains 1 if walk(input, [_, 1])", "contract_visibility", "input is not"},
		{"a clock in hide", "server", "package p\n\nhide contains 1 if time.now_ns() > 1", "contract_visibility", "time.now_ns"},
		{"a builtin that is not there", "server", "package p\n\ndeny contains 1 if http.send({}).status_code == 1", "contract_builtin", "builtin http.send is not available in the gateway; it asks the network"},
		{"the name service", "server", "package p\n\ndeny contains 1 if net.lookup_ip_addr(\"a\")", "contract_builtin", "it asks the name service"},
		{"the environment", "server", "package p\n\ndeny contains 1 if opa.runtime().env", "contract_builtin", "it reads the environment"},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			problems := checked(t, one.layer, one.source)
			fits := func(p Problem) bool {
				return p.Code == one.code && strings.Contains(p.Message, one.message) && p.Row > 0
			}
			if !slices.ContainsFunc(problems, fits) {
				t.Fatalf("expected %s %q, got %+v", one.code, one.message, problems)
			}
		})
	}
}

func TestNamesThatAreNoNearMiss(t *testing.T) {
	names := []string{"allowed_domains", "tables", "side", "region", "deny_list", "external", "hidden_tools", "levels", "customer"}
	for _, name := range names {
		if meant := nearMiss(name); meant != "" {
			t.Errorf("%s was taken for %s", name, meant)
		}
	}
	source := "package p\n\ndeny contains 1 if input.x in deny_list\n\ndeny_list contains \"a\" if true"
	if problems := checked(t, "server", source); len(problems) > 0 {
		t.Errorf("a helper that is read was refused: %+v", problems)
	}
}

func TestPanicIsAnAnswer(t *testing.T) {
	operations["panic"] = func(*Request) (any, []Problem) { panic("boom") }
	defer delete(operations, "panic")
	if response := ask(t, map[string]any{"op": "panic"}); !strings.HasPrefix(response.Fault, "boom") {
		t.Fatalf("expected the panic as fault, got %+v", response)
	}
}

// The list of native builtins is copied from an internal package of OPA; this compares the copy
// with the module that is linked.
func TestNativeBuiltinsAreThoseOfTheLinkedCompiler(t *testing.T) {
	folder, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/open-policy-agent/opa").Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(strings.TrimSpace(string(folder)), "internal/compiler/wasm/wasm.go")
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	ast.Inspect(file.Scope.Lookup("builtinsFunctions").Decl.(ast.Node), func(node ast.Node) bool {
		if _, ok := node.(*ast.KeyValueExpr); ok {
			count++
		}
		return true
	})
	if count != len(nativeBuiltins) {
		t.Fatalf("OPA has %d native builtins, the list has %d", count, len(nativeBuiltins))
	}
	for _, name := range nativeBuiltins {
		if _, known := opa.BuiltinMap[name]; !known {
			t.Errorf("OPA does not know %s", name)
		}
	}
}

func TestBuildIsDeterministicAndWhole(t *testing.T) {
	request := map[string]any{"op": "build", "modules": map[string]string{"crm.rego": crm}, "data": map[string]any{"b": 1, "a": 2}}
	text, _ := json.Marshal(request)
	first, second := Handle(string(text)), Handle(string(text))
	if first != second {
		t.Fatal("two builds of the same sources differ")
	}
	var response struct {
		Result buildResult `json:"result"`
	}
	if err := json.Unmarshal([]byte(first), &response); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".manifest", "crm.rego", "data.json", generatedPath, "policy.wasm"} {
		if len(response.Result.Files[name]) == 0 {
			t.Errorf("expected %s in the bundle: %s", name, first[:min(len(first), 400)])
		}
	}
	if string(response.Result.Files["crm.rego"]) != crm {
		t.Error("the source in the bundle is not the source that was given")
	}
}
