package rego

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// inspection is everything that can be said about a policy without asking it anything.
type inspection struct {
	summary
	Manifest    Manifest     `json:"manifest"`
	Packages    []string     `json:"packages"`
	Definitions []definition `json:"definitions"`
	Annotations []annotation `json:"annotations"`
	Tests       []string     `json:"tests"`
}

// definition is one rule of the contract in the sources.
type definition struct {
	Rule string `json:"rule"`
	place
}

// annotation is one METADATA comment and what it is about.
type annotation struct {
	Path        string          `json:"path"`
	Annotations json.RawMessage `json:"annotations"`
	place
}

type place struct {
	File string `json:"file"`
	Row  int    `json:"row"`
	Col  int    `json:"col"`
}

func placeOf(location *ast.Location) place {
	if location == nil {
		return place{}
	}
	return place{location.File, location.Row, location.Col}
}

func inspect(request *Request) (any, []Problem) {
	policy, problems := verify(request)
	if len(problems) > 0 {
		return nil, problems
	}
	about, err := policy.summary()
	if err != nil {
		return nil, problemsOf(err)
	}
	annotations, problems := policy.annotations()
	if len(problems) > 0 {
		return nil, problems
	}
	return inspection{
		summary:     about,
		Manifest:    request.Manifest,
		Packages:    slices.Sorted(maps.Keys(policy.packages())),
		Definitions: policy.definitions(),
		Annotations: annotations,
		Tests:       policy.tests(),
	}, nil
}

func (p *policy) definitions() []definition {
	found, rules := []definition{}, p.rulesByName()
	for _, name := range p.ruleNames() {
		for _, rule := range rules[name] {
			found = append(found, definition{name, placeOf(rule.Location)})
		}
	}
	return found
}

func (p *policy) annotations() ([]annotation, []Problem) {
	set, errs := ast.BuildAnnotationSet(slices.Collect(maps.Values(p.sources)))
	if len(errs) > 0 {
		return nil, problemsOf(errs)
	}
	found := []annotation{}
	for _, one := range set.Flatten() {
		text, err := json.Marshal(one.Annotations)
		if err != nil {
			return nil, problemsOf(err)
		}
		found = append(found, annotation{strings.TrimPrefix(one.Path.String(), "data."), text, placeOf(one.Location)})
	}
	slices.SortStableFunc(found, func(a, b annotation) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Row, b.Row))
	})
	return found, nil
}

// tests lists the test rules by their full names.
func (p *policy) tests() []string {
	names := []string{}
	for path, module := range p.modules {
		for _, rule := range module.Rules {
			if _, isSource := p.sources[path]; !isSource && strings.HasPrefix(firstName(rule), "test_") {
				names = append(names, packageName(module.Package)+"."+firstName(rule))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
