package rego

import (
	"fmt"
	"slices"
	"strings"
)

// libraryLayer is what metadata.layer says of a bundle that other bundles copy rules and data from
// and that answers nothing by itself.
const libraryLayer = "library"

// librariesFolder is where a build puts the modules of the libraries that a bundle requires.
const librariesFolder = "libraries/"

func (p *policy) isLibrary() bool { return p.layer == libraryLayer }

// isCopied is true for a module of a library. It keeps the library's own names: nothing in it is an
// answer of this policy, and it is tested where it comes from.
func (p *policy) isCopied(path string) bool {
	return slices.ContainsFunc(p.namesIn("libraries"), func(name string) bool {
		return strings.HasPrefix(strings.TrimPrefix(path, "/"), librariesFolder+name+"/")
	})
}

// namesIn lists the names of the entries of a list in the manifest's metadata.
func (p *policy) namesIn(member string) []string {
	entries, _ := p.request.Manifest.Metadata[member].([]any)
	var names []string
	for _, entry := range entries {
		members, _ := entry.(map[string]any)
		names = append(names, fmt.Sprint(members["name"]))
	}
	return names
}

// judgeRequires refuses a policy without a library that it requires: what it takes from there would
// be undefined, and a denial that is undefined lets the call pass.
func (p *policy) judgeRequires() []Problem {
	var problems []Problem
	copied := p.namesIn("libraries")
	for _, name := range p.namesIn("requires") {
		if !slices.Contains(copied, name) {
			problems = append(problems, inManifest("library_missing",
				"expected library %q (metadata.requires) to be copied in, found none; build the bundle with policy build or bundle push", name))
		}
	}
	return problems
}

// judgeLibrary holds a library against what lets others take it in: paths that it keeps to, and
// nothing that it needs from elsewhere.
func (p *policy) judgeLibrary() []Problem {
	var problems []Problem
	if roots := p.request.Manifest.Roots; len(roots) == 0 || slices.Contains(roots, "") {
		problems = append(problems, inManifest("library_roots",
			"expected a library to name its own paths in roots, such as [\"lib/text\"], found %q", roots))
	}
	if len(p.namesIn("requires")) > 0 {
		problems = append(problems, inManifest("library_requires",
			"expected a library to require no other, found metadata.requires; let the policy require both"))
	}
	if p.request.Manifest.Metadata["written_for"] != nil {
		problems = append(problems, inManifest("contract_dialect", "expected metadata.written_for in a policy, found it in a library"))
	}
	return problems
}
