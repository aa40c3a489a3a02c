package rego

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// generatedPath is the module that this toolchain adds to a bundle. Whatever a source folder or a
// bundle holds under this path is dropped and made anew.
const generatedPath = "gateway_entrypoints.rego"

// policy is a bundle's sources after parsing.
type policy struct {
	request *Request
	modules map[string]*ast.Module // all, by path
	sources map[string]*ast.Module // without tests
	pkg     *ast.Package           // the one that is the policy
	layer   string                 // which kind of layer it is, or a library

	writtenFor *writtenFor // nil where it was written for this gateway
}

// load parses all modules and finds the package that is the policy.
func load(request *Request) (*policy, []Problem) {
	loaded := &policy{request: request, modules: map[string]*ast.Module{}, sources: map[string]*ast.Module{}}
	problems := loaded.parse()
	if len(problems) > 0 {
		return nil, problems
	}
	problems = append(loaded.chooseLayer(), loaded.choosePackage()...)
	if problems = append(problems, loaded.judgeRequires()...); loaded.isLibrary() {
		return loaded, append(problems, loaded.judgeLibrary()...)
	}
	return loaded, append(problems, loaded.chooseDialect()...)
}

func (p *policy) parse() []Problem {
	var problems []Problem
	options := ast.ParserOptions{
		ProcessAnnotation: true,
		RegoVersion:       ast.RegoV1,
		Capabilities:      capabilitiesOf(p.request),
	}
	for path, text := range p.request.Modules {
		if strings.Trim(path, "/") == generatedPath {
			continue
		}
		text, err := upgraded(&p.request.Manifest, path, text)
		if err != nil {
			problems = append(problems, problemsOf(err)...)
			continue
		}
		p.request.Modules[path] = text
		module, err := ast.ParseModuleWithOpts(path, text, options)
		if err != nil {
			problems = append(problems, problemsOf(err)...)
			continue
		}
		if module == nil {
			problems = append(problems, at(&ast.Location{File: path, Row: 1, Col: 1}, "rego_parse_error", "the file is empty"))
			continue
		}
		p.add(path, module)
	}
	return problems
}

func (p *policy) add(path string, module *ast.Module) {
	p.modules[path] = module
	if !isTest(path, module) {
		p.sources[path] = module
	}
}

// isTest tells test modules from policy: by file name or by package name.
func isTest(path string, module *ast.Module) bool {
	return strings.HasSuffix(path, "_test.rego") || strings.HasSuffix(packageName(module.Package), "_test")
}

// packageName is the dotted name without `data.`.
func packageName(pkg *ast.Package) string {
	return strings.TrimPrefix(pkg.Path.String(), "data.")
}

// packages lists the names of the packages that are no tests and not a library's.
func (p *policy) packages() map[string]*ast.Package {
	found := map[string]*ast.Package{}
	for path, module := range p.sources {
		if !p.isCopied(path) {
			found[packageName(module.Package)] = module.Package
		}
	}
	return found
}

// choosePackage takes the manifest's word, else the only package that there is.
func (p *policy) choosePackage() []Problem {
	found := p.packages()
	names := slices.Sorted(maps.Keys(found))
	if said, ok := p.request.Manifest.Metadata["policy_package"]; ok {
		p.pkg = found[fmt.Sprint(said)]
		if p.pkg == nil {
			return []Problem{inManifest("contract_package",
				"expected metadata.policy_package to be a package of this bundle (%s), got %q", strings.Join(names, ", "), said)}
		}
		return nil
	}
	if p.isLibrary() && len(names) > 0 {
		p.pkg = found[names[0]]
		return nil
	}
	if len(names) != 1 {
		return []Problem{inManifest("contract_package",
			"expected one package besides tests, found %d (%s); name the policy in metadata.policy_package", len(names), strings.Join(names, ", "))}
	}
	p.pkg = found[names[0]]
	return nil
}

// chooseLayer reads metadata.layer, `server` where it is not said, and compares it with what the
// caller wants to use the bundle as.
func (p *policy) chooseLayer() []Problem {
	p.layer = "server"
	if said, ok := p.request.Manifest.Metadata["layer"]; ok {
		p.layer = fmt.Sprint(said)
	}
	if known := append(slices.Clone(layerKinds), libraryLayer); !slices.Contains(known, p.layer) {
		return []Problem{inManifest("contract_layer",
			"expected metadata.layer to be one of %s, got %q", strings.Join(known, ", "), p.layer)}
	}
	if p.request.Layer != "" && p.request.Layer != p.layer {
		return []Problem{inManifest("contract_layer",
			"expected a bundle for layer %q, metadata.layer says %q", p.request.Layer, p.layer)}
	}
	return nil
}

// rulesByName groups the rules of the policy package by the first word of their reference; a library
// has none that anybody asks for.
func (p *policy) rulesByName() map[string][]*ast.Rule {
	rules := map[string][]*ast.Rule{}
	if p.isLibrary() {
		return rules
	}
	for _, path := range slices.Sorted(maps.Keys(p.sources)) {
		module := p.sources[path]
		if !module.Package.Path.Equal(p.pkg.Path) {
			continue
		}
		for _, rule := range module.Rules {
			rules[firstName(rule)] = append(rules[firstName(rule)], rule)
		}
	}
	return rules
}

func firstName(rule *ast.Rule) string {
	return string(rule.Head.Ref()[0].Value.(ast.Var))
}
