package rego

import (
	"encoding/json"
	"strings"
	"testing"
)

const crmV0 = `package mcp.crm

allow[{"code": "read"}] {
	input.action.tool == "get_customer"
}

deny["export_forbidden"] { input.action.tool == "export_customers" }
`

func built(t *testing.T, modules map[string]string, manifest map[string]any) (map[string][]byte, []Problem) {
	t.Helper()
	response := ask(t, map[string]any{"op": "build", "modules": modules, "manifest": manifest})
	if response.Fault != "" {
		t.Fatal(response.Fault)
	}
	if len(response.Problems) > 0 {
		return nil, response.Problems
	}
	text, err := json.Marshal(response.Result)
	if err != nil {
		t.Fatal(err)
	}
	var result struct{ Files map[string][]byte }
	if err := json.Unmarshal(text, &result); err != nil {
		t.Fatal(err)
	}
	return result.Files, nil
}

func TestV0IsRewritten(t *testing.T) {
	manifests := []map[string]any{
		{"rego_version": 0},
		{"rego_version": 1, "file_rego_versions": map[string]int{"/*.rego": 0}},
	}
	for _, manifest := range manifests {
		files, problems := built(t, map[string]string{"p.rego": crmV0}, manifest)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		source := string(files["p.rego"])
		if !strings.Contains(source, "deny contains \"export_forbidden\" if") {
			t.Errorf("expected Rego v1, got %s", source)
		}
		if len(files["policy.wasm"]) == 0 || !strings.Contains(string(files[".manifest"]), `"rego_version":1`) {
			t.Error("expected a compiled bundle of Rego v1")
		}
	}
}

func TestV0HasToBeSaid(t *testing.T) {
	for _, manifest := range []map[string]any{{}, {"rego_version": 1}} {
		if _, problems := built(t, map[string]string{"p.rego": crmV0}, manifest); len(problems) == 0 {
			t.Error("expected Rego v0 to be refused where nobody says that it is")
		}
	}
}

func TestV0BesideV1(t *testing.T) {
	modules := map[string]string{"old/p.rego": crmV0, "new.rego": "package mcp.crm\n\ndeny contains \"x\" if false\n"}
	files, problems := built(t, modules, map[string]any{"rego_version": 1, "file_rego_versions": map[string]int{"/old/*.rego": 0}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if string(files["new.rego"]) != modules["new.rego"] {
		t.Errorf("expected what is v1 to stay as it is, got %s", files["new.rego"])
	}
}

func TestV0ThatIsNoV1(t *testing.T) {
	source := "package mcp.crm\n\ninput = 1 { true }\n"
	_, problems := built(t, map[string]string{"p.rego": source}, map[string]any{"rego_version": 0})
	if len(problems) == 0 || problems[0].File != "p.rego" {
		t.Errorf("expected a problem in p.rego, got %v", problems)
	}
}
