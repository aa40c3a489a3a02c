package rego

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// dialect is how policies of another project name their answers and what they take for input.
type dialect struct {
	name string
	// denials and warnings are sets of what speaks against the object.
	denials  *regexp.Regexp
	warnings *regexp.Regexp
	// grants are rules of which the first that is there says yes or no.
	grants []string
	// unread are rules that the other project reads and this one does not.
	unread []string
	// object is where the thing that is judged stands in the input; "" is all of it.
	object string
	input  func(*writtenFor) string
	layers []string
}

var dialects = []dialect{
	{
		name:     "conftest",
		denials:  regexp.MustCompile(`^(?:deny|violation)(?:_[A-Za-z0-9]+)*$`),
		warnings: regexp.MustCompile(`^warn(?:_[A-Za-z0-9]+)*$`),
		unread:   []string{"exception"},
		input:    func(*writtenFor) string { return "gateway_object" },
		layers:   layerKinds,
	},
	{
		name:    "gatekeeper",
		denials: regexp.MustCompile(`^violation$`),
		object:  "action.args",
		input:   reviewText,
		layers:  layerKinds,
	},
	{
		name:   "envoy",
		grants: []string{"result", "allow"},
		input:  func(*writtenFor) string { return checkRequest },
		layers: []string{"server"},
	},
}

// writtenFor is metadata.written_for: the project that a policy was written for, what of the input
// it judges, of which tools, and the parameters that the project would hand it.
type writtenFor struct {
	Project    string         `json:"project"`
	Object     string         `json:"object"`
	Tools      []string       `json:"tools"`
	Parameters map[string]any `json:"parameters"`
	dialect    dialect
}

// chooseDialect reads metadata.written_for; a policy without it was written for this gateway.
func (p *policy) chooseDialect() []Problem {
	said := p.request.Manifest.Metadata["written_for"]
	if said == nil {
		return nil
	}
	found, err := readWrittenFor(said)
	if err != nil {
		return []Problem{inManifest("contract_dialect", "metadata.written_for: %s", err)}
	}
	index := slices.IndexFunc(dialects, func(known dialect) bool { return known.name == found.Project })
	if index < 0 {
		return []Problem{inManifest("contract_dialect",
			"expected metadata.written_for to be conftest, gatekeeper or envoy, found %q", found.Project)}
	}
	found.dialect = dialects[index]
	if found.Object == "" {
		found.Object = found.dialect.object
	}
	p.writtenFor = found
	return found.judge()
}

func readWrittenFor(said any) (*writtenFor, error) {
	if name, ok := said.(string); ok {
		return &writtenFor{Project: name}, nil
	}
	text, err := json.Marshal(said)
	if err != nil {
		return nil, err
	}
	found := &writtenFor{}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	return found, decoder.Decode(found)
}

var inputPath = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$`)

func (w *writtenFor) judge() []Problem {
	isEnvoy := w.Project == "envoy"
	if isEnvoy && (w.Object != "" || len(w.Tools) > 0 || w.Parameters != nil) {
		return []Problem{inManifest("contract_dialect", "expected metadata.written_for of envoy to be its name alone, found other members")}
	}
	if w.Object != "" && !inputPath.MatchString(w.Object) {
		return []Problem{inManifest("contract_dialect",
			"expected metadata.written_for.object to be a path below input, such as action.args.manifest, found %q", w.Object)}
	}
	if w.Parameters != nil && w.Project != "gatekeeper" {
		return []Problem{inManifest("contract_dialect", "expected metadata.written_for.parameters with gatekeeper alone, found it with %s", w.Project)}
	}
	return nil
}

// judgeDialect holds the rules against what the other project would read. Other names are the
// author's own, but for those that the generated entrypoints need.
func (p *policy) judgeDialect() []Problem {
	spoken := p.writtenFor.dialect
	if !slices.Contains(spoken.layers, p.layer) {
		return []Problem{inManifest("contract_layer",
			"a policy written for %s belongs to layer %s; this bundle is for layer %q (metadata.layer)", spoken.name, strings.Join(spoken.layers, " or "), p.layer)}
	}
	var problems []Problem
	rules := p.rulesByName()
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		problems = append(problems, spoken.judgeRule(name, rules[name])...)
	}
	if len(problems) == 0 && len(p.ruleNames()) == 0 {
		problems = append(problems, at(p.pkg.Location, "contract_empty", "package %s defines none of the rules that %s reads", packageName(p.pkg), spoken.name))
	}
	return problems
}

func (d dialect) judgeRule(name string, rules []*ast.Rule) []Problem {
	first := rules[0].Location
	if name == "decision" || slices.Contains(reserved, name) || strings.HasPrefix(name, "gateway_") {
		return []Problem{at(first, "contract_reserved", "rule name %s is reserved for a generated entrypoint; choose another", name)}
	}
	if slices.Contains(d.unread, name) {
		return []Problem{at(first, "contract_dialect", "rule %s of %s is not read; put the exception into the rule that it is about", name, d.name)}
	}
	isSet := d.isDenial(name) || d.isWarning(name)
	for _, rule := range rules {
		if isSet && (rule.Head.RuleKind() != ast.MultiValue || len(rule.Head.Ref()) != 1) {
			return []Problem{at(rule.Location, "contract_shape", "expected rule %s to be "+shapeText[setShape], name, name)}
		}
	}
	return nil
}

func (d dialect) isDenial(name string) bool { return d.denials != nil && d.denials.MatchString(name) }
func (d dialect) isWarning(name string) bool {
	return d.warnings != nil && d.warnings.MatchString(name)
}

// namesOf lists the policy's rules that a dialect reads as one thing, sorted.
func (p *policy) namesOf(isOne func(string) bool) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(p.rulesByName())) {
		if isOne(name) {
			names = append(names, name)
		}
	}
	return names
}

// grant is the rule that says yes or no; "" where there is none.
func (p *policy) grant() string {
	rules := p.rulesByName()
	for _, name := range p.writtenFor.dialect.grants {
		if len(rules[name]) > 0 {
			return name
		}
	}
	return ""
}

// dialectRules lists what a policy of another project answers, by names of the contract.
func (p *policy) dialectRules() []string {
	spoken, names := p.writtenFor.dialect, []string{}
	if p.grant() != "" {
		names = append(names, "allow")
	}
	if len(p.namesOf(spoken.isDenial)) > 0 {
		names = append(names, "deny")
	}
	if len(p.namesOf(spoken.isWarning)) > 0 {
		names = append(names, "warn")
	}
	return names
}

// dialectText is the decision of a policy of another project. It is undefined, and no decision, where
// the input cannot be made: a rule that is not asked must not look like one that has nothing to say.
func (p *policy) dialectText() string {
	spoken := p.writtenFor.dialect
	if grant := p.grant(); grant != "" {
		return fmt.Sprintf(grantDecision, grant) + "\ngateway_input := " + spoken.input(p.writtenFor) + "\n"
	}
	var text strings.Builder
	text.WriteString("\ndecision := {\"deny\": gateway_deny, \"warn\": gateway_warn} if is_object(gateway_input)\n")
	text.WriteString(p.writtenFor.objectText())
	for _, name := range p.namesOf(spoken.isDenial) {
		fmt.Fprintf(&text, setElements, "deny", name)
	}
	for _, name := range p.namesOf(spoken.isWarning) {
		fmt.Fprintf(&text, setElements, "warn", name)
	}
	text.WriteString(emptySets + "\ngateway_input := " + spoken.input(p.writtenFor) + "\n")
	return text.String()
}
