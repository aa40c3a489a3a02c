package rego

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// listInput is the input that decides what an agent sees: the same when tools are listed and when
// one is called, so it has no arguments, counters, conversation, client or time.
var listInput = refs(
	"input.version", "input.phase",
	"input.agent.id", "input.agent.scope", "input.agent.owner_team", "input.agent.model",
	"input.agent.parent", "input.agent.authenticated",
	"input.user",
	"input.action.type", "input.action.direction", "input.action.server", "input.action.tool",
	"input.action.prompt", "input.action.uri", "input.action.uri_template",
	"input.action.data_classes_referenced", "input.action.labels", "input.action.annotations",
	"input.action.definition_digest", "input.action.destination",
	"input.environment.region", "input.environment.is_production",
)

func refs(texts ...string) []ast.Ref {
	parsed := make([]ast.Ref, len(texts))
	for index, text := range texts {
		parsed[index] = ast.MustParseRef(text)
	}
	return parsed
}

// judgeVisibility follows `hide` and `capabilities` through everything they use and refuses what
// is not in the list-phase input, and builtins that answer differently from one moment to the next.
func (v *verified) judgeVisibility() []Problem {
	seen := map[*ast.Rule]bool{}
	var problems []Problem
	for _, module := range v.compiler.Modules {
		for _, rule := range module.Rules {
			if module.Package.Path.Equal(v.pkg.Path) && slices.Contains([]string{"hide", "capabilities"}, firstName(rule)) {
				problems = append(problems, v.follow(rule, firstName(rule), seen)...)
			}
		}
	}
	return problems
}

func (v *verified) follow(rule *ast.Rule, origin string, seen map[*ast.Rule]bool) []Problem {
	if seen[rule] {
		return nil
	}
	seen[rule] = true
	problems := v.judgeTerms(rule, origin)
	for next := range v.compiler.Graph.Dependencies(rule) {
		if dependency, ok := next.(*ast.Rule); ok {
			problems = append(problems, v.follow(dependency, origin, seen)...)
		}
	}
	return problems
}

func (v *verified) judgeTerms(rule *ast.Rule, origin string) []Problem {
	var problems []Problem
	ast.WalkTerms(rule, func(term *ast.Term) bool {
		ref, ok := term.Value.(ast.Ref)
		if !ok {
			return false
		}
		if ref.HasPrefix(ast.InputRootRef) && !slices.ContainsFunc(listInput, ref.HasPrefix) {
			problems = append(problems, at(term.Location, "contract_visibility",
				"%s may look only at what is known when tools are listed, and %s is not; it may use %s", origin, ref, listNames()))
		}
		if v.changes(ref) {
			problems = append(problems, at(term.Location, "contract_visibility",
				"%s must answer the same when tools are listed and when one is called; %s does not", origin, ref))
		}
		return false
	})
	return problems
}

// steady names builtins that OPA marks as nondeterministic because they may ask the network for a
// schema, which they cannot here.
var steady = []string{ast.JSONMatchSchema.Name, ast.JSONSchemaVerify.Name}

// changes is true for builtins that OPA marks as nondeterministic, such as the clock.
func (v *verified) changes(ref ast.Ref) bool {
	builtin, known := ast.BuiltinMap[ref.String()]
	return known && builtin.IsNondeterministic() && !slices.Contains(steady, builtin.Name)
}

func listNames() string {
	names := make([]string, len(listInput))
	for index, ref := range listInput {
		names[index] = strings.TrimPrefix(ref.String(), "input.")
	}
	return strings.Join(names, ", ")
}
