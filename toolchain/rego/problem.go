package rego

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Problem is one reason why a policy is refused, with the place to look at. OPA's own codes begin
// with `rego_`; those of the gateway's contract with `contract_`, of the manifest with `manifest_`.
type Problem struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	File    string   `json:"file"`
	Row     int      `json:"row"`
	Col     int      `json:"col"`
	Details []string `json:"details,omitempty"`
}

// at makes a problem of a place in the sources. OPA counts from 1, but for the end of a file.
func at(location *ast.Location, code, format string, arguments ...any) Problem {
	problem := Problem{Code: code, Message: fmt.Sprintf(format, arguments...)}
	if location != nil {
		problem.File, problem.Row, problem.Col = location.File, max(1, location.Row), max(1, location.Col)
	}
	return problem
}

// inManifest makes a problem of the bundle's manifest, which has no finer place than its name.
func inManifest(code, format string, arguments ...any) Problem {
	return at(&ast.Location{File: ".manifest", Row: 1, Col: 1}, code, format, arguments...)
}

// problemsOf reads everything that OPA says in one error.
func problemsOf(err error) []Problem {
	if list := (ast.Errors)(nil); errors.As(err, &list) {
		problems := make([]Problem, 0, len(list))
		for _, one := range list {
			problems = append(problems, problemOf(one))
		}
		return problems
	}
	if one := (*ast.Error)(nil); errors.As(err, &one) {
		return []Problem{problemOf(one)}
	}
	return []Problem{{Code: "rego_error", Message: err.Error()}}
}

func problemOf(err *ast.Error) Problem {
	problem := at(err.Location, err.Code, "%s", strings.TrimSpace(err.Message))
	if err.Details != nil {
		problem.Details = err.Details.Lines()
	}
	return withBuiltinNamed(problem)
}

// withBuiltinNamed says of a call that OPA knows and the gateway does not offer what it is.
func withBuiltinNamed(problem Problem) Problem {
	name, undefined := strings.CutPrefix(problem.Message, "undefined function ")
	if !undefined || !isBuiltin(name) {
		return problem
	}
	problem.Code = "contract_builtin"
	problem.Message = fmt.Sprintf("builtin %s is not available in the gateway", name)
	if reason, refused := refusedBuiltins[name]; refused {
		problem.Message += "; " + reason
	}
	return problem
}

const askElsewhere = "while deciding, and a decision is made of its input and data alone; " +
	"let the gateway put what the rule needs into the input, or the bundle into data.json"

// refusedBuiltins says why the gateway will never have some builtins, and what to do instead.
var refusedBuiltins = map[string]string{
	"http.send":          "it asks the network " + askElsewhere,
	"net.lookup_ip_addr": "it asks the name service " + askElsewhere,
	"opa.runtime":        "it reads the environment " + askElsewhere,
}

func isBuiltin(name string) bool {
	_, known := ast.BuiltinMap[name]
	return known
}

// sorted puts problems in the order of the sources and drops what was said twice.
func sorted(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(
			strings.Compare(a.File, b.File),
			cmp.Compare(a.Row, b.Row),
			cmp.Compare(a.Col, b.Col),
			strings.Compare(a.Message, b.Message),
		)
	})
	return slices.CompactFunc(problems, func(a, b Problem) bool {
		return a.File == b.File && a.Row == b.Row && a.Col == b.Col && a.Message == b.Message
	})
}
