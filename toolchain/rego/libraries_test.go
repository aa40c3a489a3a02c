package rego

import (
	"slices"
	"testing"
)

const (
	textLibrary  = "package lib.text\n\nis_short(text) if count(text) < 9\n\ndeny contains 1 if input.x\n"
	textPolicy   = "package mcp.crm\n\nimport data.lib.text\n\ndeny contains \"long\" if not text.is_short(input.action.tool)\n"
	copiedModule = "libraries/lib-text/text.rego"
)

func library(modules map[string]string, manifest map[string]any) map[string]any {
	return map[string]any{"op": "build", "modules": modules, "manifest": manifest}
}

func TestALibraryIsItsSourcesAlone(t *testing.T) {
	metadata := map[string]any{"name": "lib-text", "layer": "library"}
	manifest := map[string]any{"revision": "1", "roots": []string{"lib/text"}, "metadata": metadata}
	request := library(map[string]string{"text.rego": textLibrary, "more.rego": "package lib.text.more\n\nx := 1", "text_test.rego": "package lib.text_test\n\ntest_a if true"}, manifest)
	response := ask(t, request)
	if response.Fault != "" || len(response.Problems) > 0 {
		t.Fatal(response)
	}
	files := response.Result.(map[string]any)["files"].(map[string]any)
	names := []string{}
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{".manifest", "data.json", "more.rego", "text.rego"}) {
		t.Errorf("found %v", names)
	}
}

func TestLibraryProblems(t *testing.T) {
	roots := []string{"lib/text"}
	cases := []struct {
		name, code, message string
		manifest            map[string]any
	}{
		{"no roots", "library_roots", "paths in roots", map[string]any{"metadata": map[string]any{"layer": "library"}}},
		{"all roots", "library_roots", "paths in roots", map[string]any{"roots": []string{""}, "metadata": map[string]any{"layer": "library"}}},
		{"a library of its own", "library_requires", "require no other", map[string]any{"roots": roots,
			"metadata": map[string]any{"layer": "library", "requires": []any{map[string]any{"name": "b"}}, "libraries": []any{map[string]any{"name": "b"}}}}},
		{"another project", "contract_dialect", "in a library", map[string]any{"roots": roots, "metadata": map[string]any{"layer": "library", "written_for": "conftest"}}},
		{"other packages", "manifest_invalid", "do not permit", map[string]any{"roots": []string{"lib/other"}, "metadata": map[string]any{"layer": "library"}}},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			expectProblem(t, ask(t, library(map[string]string{"text.rego": textLibrary}, one.manifest)), one.code, one.message)
		})
	}
}

func TestAPolicyWithItsLibrary(t *testing.T) {
	named := []any{map[string]any{"name": "lib-text"}}
	whole := map[string]any{"metadata": map[string]any{"requires": named, "libraries": named}}
	modules := map[string]string{"p.rego": textPolicy, copiedModule: textLibrary}
	if response := ask(t, library(modules, whole)); response.Fault != "" || len(response.Problems) > 0 {
		t.Fatal(response)
	}
	t.Run("is not built without it", func(t *testing.T) {
		lonely := map[string]any{"metadata": map[string]any{"requires": named}}
		expectProblem(t, ask(t, library(map[string]string{"p.rego": textPolicy}, lonely)), "library_missing", "lib-text")
	})
	t.Run("takes another folder for its own", func(t *testing.T) {
		other := map[string]string{"p.rego": textPolicy, "libraries/lib-other/text.rego": textLibrary}
		expectProblem(t, ask(t, library(other, whole)), "contract_package", "expected one package")
	})
}
