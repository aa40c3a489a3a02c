package rego

import (
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// layerKinds are the kinds of layer a bundle can be.
var layerKinds = []string{"identity", "server", "workflow", "compliance", "overrides"}

type shape int

const (
	setShape    shape = iota // `name contains …`
	valueShape               // `name := …`
	grantShape               // a set, or a boolean as in older bundles
	objectShape              // the author's own decision document
)

var shapeText = map[shape]string{
	setShape:    "a set: `%s contains … if …`",
	valueShape:  "one value: `%s := …`",
	grantShape:  "a set, `%s contains … if …`, or a boolean",
	objectShape: "one value: `%s := {…}`",
}

type contractRule struct {
	name   string
	shape  shape
	layers []string
}

// contract is the one table of what a policy may define and which kind of layer may define it.
// Only the server's own bundle grants and says what a call touches; only identity bundles say where
// an agent may be at all.
var contract = []contractRule{
	{"allow", grantShape, []string{"server"}},
	{"deny", setShape, layerKinds},
	{"require_approval", setShape, layerKinds},
	{"obligations", setShape, layerKinds},
	{"hide", setShape, layerKinds},
	{"data_classes", setShape, []string{"server"}},
	{"labels", setShape, []string{"server"}},
	{"capabilities", valueShape, []string{"identity"}},
	{"waive", setShape, []string{"overrides"}},
	{"warn", setShape, layerKinds},
	{"decision", objectShape, layerKinds},
}

// reserved names belong to generated entrypoints; `decision` is the one that an author may write.
var reserved = []string{"classify", "visibility", "gateway_grants"}

func contractOf(name string) (contractRule, bool) {
	index := slices.IndexFunc(contract, func(rule contractRule) bool { return rule.name == name })
	if index < 0 {
		return contractRule{}, false
	}
	return contract[index], true
}

// judgeRules holds the names, shapes and layer of the policy's rules against the contract.
func (p *policy) judgeRules() []Problem {
	var problems []Problem
	rules, known := p.rulesByName(), 0
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		if expected, ok := contractOf(name); ok {
			known++
			problems = append(problems, p.judgeRule(expected, rules[name])...)
			continue
		}
		problems = append(problems, judgeOtherName(name, rules[name][0])...)
	}
	if known == 0 && len(problems) == 0 {
		if problems = judgePrefixes(rules); len(problems) > 0 {
			return problems
		}
		return []Problem{at(p.pkg.Location, "contract_empty", "package %s defines none of the rules a layer %q is asked for (%s)",
			packageName(p.pkg), p.layer, strings.Join(p.namesForLayer(), ", "))}
	}
	return problems
}

func (p *policy) judgeRule(expected contractRule, rules []*ast.Rule) []Problem {
	if !slices.Contains(expected.layers, p.layer) {
		return []Problem{at(rules[0].Location, "contract_layer", "rule %s belongs to layer %s; this bundle is for layer %q (metadata.layer)",
			expected.name, strings.Join(expected.layers, " or "), p.layer)}
	}
	var problems []Problem
	for _, rule := range rules {
		if !expected.fits(rule) {
			problems = append(problems, at(rule.Location, "contract_shape", "expected rule %s to be "+shapeText[expected.shape], expected.name, expected.name))
		}
	}
	return problems
}

// fits compares one definition with the shape that the name stands for.
func (c contractRule) fits(rule *ast.Rule) bool {
	if len(rule.Head.Args) > 0 || len(rule.Head.Ref()) != 1 {
		return false
	}
	isSet := rule.Head.RuleKind() == ast.MultiValue
	switch c.shape {
	case setShape:
		return isSet
	case grantShape:
		return isSet || isBoolean(rule)
	default:
		return !isSet
	}
}

// isBoolean is true where a rule's value cannot be seen to be anything else.
func isBoolean(rule *ast.Rule) bool {
	switch rule.Head.Value.Value.(type) {
	case ast.Boolean, ast.Var, ast.Ref, ast.Call:
		return true
	default:
		return false
	}
}

func judgeOtherName(name string, rule *ast.Rule) []Problem {
	if slices.Contains(reserved, name) {
		return []Problem{at(rule.Location, "contract_reserved", "rule name %s is reserved for a generated entrypoint; choose another", name)}
	}
	if meant := nearMiss(name); meant != "" {
		return []Problem{at(rule.Location, "contract_near_miss", "rule %s means nothing to the gateway; did you mean %s?", name, meant)}
	}
	return nil
}

// judgePrefixes recognises, in a policy that answers nothing, names as Conftest takes them.
func judgePrefixes(rules map[string][]*ast.Rule) []Problem {
	var problems []Problem
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		if meant := prefixOf(name); meant != "" {
			problems = append(problems, at(rules[name][0].Location, "contract_near_miss", "rule %s is never read; did you mean %s?", name, meant))
		}
	}
	return problems
}

// prefixOf finds the rule of the contract that a name begins with: `deny_export`.
func prefixOf(name string) string {
	for _, rule := range contract {
		if strings.HasPrefix(name, rule.name+"_") {
			return rule.name
		}
	}
	return ""
}

func (p *policy) namesForLayer() []string {
	var names []string
	for _, rule := range contract {
		if slices.Contains(rule.layers, p.layer) {
			names = append(names, rule.name)
		}
	}
	return names
}
