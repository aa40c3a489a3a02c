package rego

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/format"
)

// upgraded gives a module as Rego v1: as it is, or where the manifest says that it is v0, rewritten
// as `opa fmt --v0-v1` does. What v1 refuses and cannot be rewritten is a problem of the module.
func upgraded(manifest *Manifest, path, text string) (string, error) {
	about := bundle.Manifest{RegoVersion: manifest.RegoVersion, FileRegoVersions: manifest.FileRegoVersions}
	version, err := about.RegoVersionForFile("/" + strings.TrimPrefix(path, "/"))
	if err != nil || version != ast.RegoV0 {
		return text, err
	}
	rewritten, err := format.SourceWithOpts(path, []byte(text), format.Opts{
		RegoVersion:   ast.RegoV1,
		ParserOptions: &ast.ParserOptions{RegoVersion: ast.RegoV0, ProcessAnnotation: true},
		DropV0Imports: true,
	})
	return string(rewritten), err
}
