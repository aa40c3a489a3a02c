package rego

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
	"github.com/open-policy-agent/opa/v1/version"
)

// buildResult holds the files of a bundle by path, without leading slash, and what is in them.
type buildResult struct {
	Files map[string][]byte `json:"files"`
	summary
}

// summary is what check, build and inspect say about a policy that is in order.
type summary struct {
	Package          string   `json:"package"`
	Layer            string   `json:"layer"`
	Rules            []string `json:"rules"`
	Entrypoints      []string `json:"entrypoints"`
	RequiredBuiltins []string `json:"required_builtins"`
}

func (v *verified) summary() (summary, error) {
	paths, err := v.entrypointPaths()
	return summary{
		Package:          packageName(v.pkg),
		Layer:            v.layer,
		Rules:            v.ruleNames(),
		Entrypoints:      paths,
		RequiredBuiltins: hostBuiltinsOf(v.request, v.compiler),
	}, err
}

func check(request *Request) (any, []Problem) {
	policy, problems := verify(request)
	if len(problems) > 0 {
		return nil, problems
	}
	if _, err := filesOf(policy.newBundle(same)); err != nil {
		return nil, []Problem{inManifest("manifest_invalid", "%s", err)}
	}
	summary, err := policy.summary()
	if err != nil {
		return nil, problemsOf(err)
	}
	return summary, nil
}

func same(module *ast.Module) *ast.Module { return module }

// build compiles the policy to WebAssembly and lays out a bundle that OPA itself can read.
func build(request *Request) (any, []Problem) {
	policy, problems := verify(request)
	if len(problems) > 0 {
		return nil, problems
	}
	summary, err := policy.summary()
	if err != nil {
		return nil, problemsOf(err)
	}
	compiled := &bundle.Bundle{}
	if !policy.isLibrary() {
		if compiled, err = policy.compileWasm(summary.Entrypoints); err != nil {
			return nil, problemsOf(err)
		}
	}
	files, err := filesOf(policy.finish(compiled, summary))
	if err != nil {
		return nil, []Problem{inManifest("manifest_invalid", "%s", err)}
	}
	return buildResult{Files: files, summary: summary}, nil
}

// compileWasm lets OPA's own builder compile a copy: it takes the entrypoints' rules out of the
// sources that it is given.
func (v *verified) compileWasm(entrypoints []string) (*bundle.Bundle, error) {
	input := v.newBundle((*ast.Module).Copy)
	builder := compile.New().
		WithBundle(input).
		WithTarget(compile.TargetWasm).
		WithEntrypoints(entrypoints...).
		WithPruneUnused(true).
		WithRegoVersion(ast.RegoV1).
		WithCapabilities(capabilitiesOf(v.request))
	if err := builder.Build(context.Background()); err != nil {
		return nil, err
	}
	return builder.Bundle(), nil
}

// newBundle lays out the sources: data, manifest, the author's modules, the generated one.
func (v *verified) newBundle(parsed func(*ast.Module) *ast.Module) *bundle.Bundle {
	result := &bundle.Bundle{Data: v.request.Data}
	if result.Data == nil {
		result.Data = map[string]any{}
	}
	result.Manifest.Revision = v.request.Manifest.Revision
	if v.request.Manifest.Roots != nil {
		result.Manifest.Roots = &v.request.Manifest.Roots
	}
	for _, path := range slices.Sorted(maps.Keys(v.sources)) {
		addModule(result, path, v.request.Modules[path], parsed(v.sources[path]))
	}
	if v.generated != nil {
		addModule(result, generatedPath, v.generatedText(), parsed(v.generated))
	}
	result.SetRegoVersion(ast.RegoV1)
	result.Manifest.Init()
	return result
}

func addModule(to *bundle.Bundle, path, text string, parsed *ast.Module) {
	path = "/" + strings.TrimPrefix(path, "/")
	to.Modules = append(to.Modules, bundle.ModuleFile{URL: path, Path: path, Raw: []byte(text), Parsed: parsed})
}

// finish puts the compiled policy beside sources that are whole, and says in the manifest's
// metadata what a gateway wants to know before it opens anything. A library is its sources alone, so
// that its bytes do not change with the toolchain.
func (v *verified) finish(compiled *bundle.Bundle, about summary) *bundle.Bundle {
	result := v.newBundle(same)
	result.WasmModules = compiled.WasmModules
	result.Manifest.WasmResolvers = compiled.Manifest.WasmResolvers
	metadata := maps.Clone(v.request.Manifest.Metadata)
	if metadata == nil {
		metadata = map[string]any{}
	}
	metadata["layer"] = about.Layer
	result.Manifest.Metadata = metadata
	if v.isLibrary() {
		return result
	}
	metadata["policy_package"] = about.Package
	metadata["rules"] = about.Rules
	metadata["required_builtins"] = about.RequiredBuiltins
	metadata["opa_version"] = version.Version
	return result
}

// filesOf writes the bundle as OPA does and reads it back as OPA does, which judges roots, data
// and entrypoints by OPA's own rules; what was written are the files.
func filesOf(whole *bundle.Bundle) (map[string][]byte, error) {
	var archive bytes.Buffer
	if err := bundle.NewWriter(&archive).Write(*whole); err != nil {
		return nil, err
	}
	if _, err := bundle.NewReader(bytes.NewReader(archive.Bytes())).Read(); err != nil {
		return nil, err
	}
	return unpack(&archive)
}

func unpack(archive io.Reader) (map[string][]byte, error) {
	plain, err := gzip.NewReader(archive)
	if err != nil {
		return nil, err
	}
	files, entries := map[string][]byte{}, tar.NewReader(plain)
	for {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if files[strings.TrimPrefix(header.Name, "/")], err = io.ReadAll(entries); err != nil {
			return nil, err
		}
	}
}
