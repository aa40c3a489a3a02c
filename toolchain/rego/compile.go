package rego

import (
	"maps"

	"github.com/open-policy-agent/opa/v1/ast"
)

// newCompiler makes a strict compiler that checks types against the gateway's input document and
// reports every error it can find in one run.
func newCompiler(request *Request, prints bool, schema any) *ast.Compiler {
	schemas := ast.NewSchemaSet()
	if schema != nil {
		schemas.Put(ast.SchemaRootRef, schema)
	}
	return ast.NewCompiler().
		WithCapabilities(capabilitiesOf(request)).
		WithStrict(true).
		WithSchemas(schemas).
		WithUseTypeCheckAnnotations(true).
		WithEnablePrintStatements(prints).
		WithPathConflictsCheck(inDocument(request.Data)).
		SetErrorLimit(0)
}

// schema is that of the input document; nil where the policy's rules see another one.
func (p *policy) schema() any {
	if about := p.writtenFor; about != nil && (about.Project != "conftest" || about.Object != "") {
		return nil
	}
	return p.request.Schema
}

// inDocument lets the compiler see that a rule and a value of data.json have the same path.
func inDocument(document map[string]any) func([]string) (bool, error) {
	return func(path []string) (bool, error) {
		var value any = document
		for _, key := range path {
			object, ok := value.(map[string]any)
			if !ok {
				return false, nil
			}
			if value, ok = object[key]; !ok {
				return false, nil
			}
		}
		return true, nil
	}
}

// compileWith compiles the given modules together with the generated entrypoints.
func (p *policy) compileWith(modules map[string]*ast.Module, prints bool) (*ast.Compiler, *ast.Module, []Problem) {
	generated, err := p.generate()
	if err != nil {
		return nil, nil, problemsOf(err)
	}
	together := maps.Clone(modules)
	if generated != nil {
		together[generatedPath] = generated
	}
	compiler := newCompiler(p.request, prints, p.schema())
	if compiler.Compile(together); compiler.Failed() {
		return nil, nil, problemsOf(compiler.Errors)
	}
	return compiler, generated, nil
}

// verified is a policy that kept every rule of the contract, and its compiler.
type verified struct {
	*policy
	compiler  *ast.Compiler
	generated *ast.Module // nil where the policy has its own decision and nothing else to ask
}

// verify loads, compiles and judges a policy; all operations begin here.
func verify(request *Request) (*verified, []Problem) {
	loaded, problems := load(request)
	if loaded == nil {
		return nil, problems
	}
	if len(problems) == 0 {
		problems = loaded.judge()
	}
	if len(problems) > 0 {
		return nil, append(problems, loaded.compileErrors()...)
	}
	if _, _, problems = loaded.compileWith(loaded.modules, false); len(problems) > 0 {
		return nil, problems
	}
	compiler, generated, problems := loaded.compileWith(loaded.sources, false)
	if len(problems) > 0 {
		return nil, problems
	}
	result := &verified{policy: loaded, compiler: compiler, generated: generated}
	if loaded.isLibrary() || loaded.writtenFor != nil {
		return result, nil
	}
	return result, append(result.judgeReferences(), result.judgeVisibility()...)
}

// judge holds the rules against the contract, or against that of the project they were written for.
func (p *policy) judge() []Problem {
	switch {
	case p.isLibrary():
		return nil
	case p.writtenFor != nil:
		return p.judgeDialect()
	default:
		return p.judgeRules()
	}
}

// compileErrors finds what else is wrong with a policy that already failed, so that an author sees
// everything in one run.
func (p *policy) compileErrors() []Problem {
	compiler := newCompiler(p.request, false, p.schema())
	if compiler.Compile(p.modules); compiler.Failed() {
		return problemsOf(compiler.Errors)
	}
	return nil
}
