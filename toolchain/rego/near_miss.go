package rego

import (
	"maps"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/open-policy-agent/opa/v1/ast"
)

// inflections are words that people write for a rule of the contract and that are too far away
// to be found by their spelling.
var inflections = map[string]string{
	"allowed": "allow", "allows": "allow", "grant": "allow", "grants": "allow", "permit": "allow",
	"denied": "deny", "denies": "deny", "denial": "deny", "denials": "deny", "violation": "deny", "violations": "deny",
	"approval_required": "require_approval", "requires_approval": "require_approval", "require_approvals": "require_approval",
	"hidden": "hide", "hides": "hide",
	"waived": "waive", "waiver": "waive", "waivers": "waive",
	"warned": "warn", "warning": "warn", "warnings": "warn", "warns": "warn",
	"obligation": "obligations", "capability": "capabilities", "label": "labels", "data_class": "data_classes",
	"decisions": "decision",
}

// nearMiss finds the rule of the contract that a name nearly is; "" where it is a name of its own.
// Case, underscores at the ends and between words do not make a name different.
func nearMiss(name string) string {
	plain := strings.Trim(strings.ToLower(name), "_")
	if meant, ok := inflections[plain]; ok {
		return meant
	}
	for _, rule := range contract {
		if isSlip(squeeze(plain), squeeze(rule.name)) {
			return rule.name
		}
	}
	return ""
}

// isSlip is true for the same letters in another order, for one wrong letter, and in a long name
// for two. Two in a short one are another word (`tables`, `labels`), and so is another first letter
// (`side`, `hide`).
func isSlip(name, meant string) bool {
	if name == "" || name[0] != meant[0] {
		return false
	}
	slips := 1
	if len(meant) >= 8 {
		slips = 2
	}
	return letters(name) == letters(meant) || levenshtein.ComputeDistance(name, meant) <= slips
}

func letters(word string) string {
	sorted := []byte(word)
	slices.Sort(sorted)
	return string(sorted)
}

func squeeze(name string) string { return strings.ReplaceAll(name, "_", "") }

// judgeReferences finds rules that look like answers to the gateway and that nothing reads:
// `deny_export contains …`, as Conftest would accept, or `deny` in a package that is not the policy.
func (v *verified) judgeReferences() []Problem {
	var problems []Problem
	for _, path := range slices.Sorted(maps.Keys(v.compiler.Modules)) {
		module := v.compiler.Modules[path]
		for _, rule := range module.Rules {
			if path == generatedPath || v.isCopied(path) || len(v.compiler.Graph.Dependents(rule)) > 0 {
				continue
			}
			problems = append(problems, v.judgeUnread(rule, module.Package.Path.Equal(v.pkg.Path))...)
		}
	}
	return problems
}

func (v *verified) judgeUnread(rule *ast.Rule, inPolicy bool) []Problem {
	name := firstName(rule)
	if !inPolicy {
		if _, known := contractOf(name); known && len(rule.Head.Args) == 0 {
			return []Problem{at(rule.Location, "contract_package", "rule %s is never read: the policy is package %s (metadata.policy_package)", name, packageName(v.pkg))}
		}
		return nil
	}
	if _, known := contractOf(name); known && name != "decision" {
		return []Problem{at(rule.Location, "contract_package", "rule %s is never read: this policy has its own decision, which does not use it", name)}
	}
	if meant := prefixOf(name); meant != "" && len(rule.Head.Args) == 0 {
		return []Problem{at(rule.Location, "contract_near_miss", "rule %s is never read; did you mean %s?", name, meant)}
	}
	return nil
}
