package rego

import (
	"context"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// evalResult tells an undefined value from null.
type evalResult struct {
	Defined bool   `json:"defined"`
	Value   any    `json:"value"`
	Query   string `json:"query"`
}

// evaluate asks OPA's interpreter, with the errors of builtins undefined as they are in
// WebAssembly. The query is the generated decision unless the request names another.
func evaluate(request *Request) (any, []Problem) {
	policy, problems := verify(request)
	if len(problems) > 0 {
		return nil, problems
	}
	query := request.Query
	if query == "" {
		query = policy.pkg.Path.String() + ".decision"
	}
	results, err := rego.New(
		rego.Query(query),
		rego.Compiler(policy.compiler),
		rego.Store(inmem.NewFromObject(policy.document())),
		rego.ParsedInput(ast.MustInterfaceToValue(request.Input)),
		rego.Time(timeOf(request.Input)),
	).Eval(context.Background())
	if err != nil {
		return nil, problemsOf(asEvaluationError(err))
	}
	return firstValue(results, query), nil
}

func firstValue(results rego.ResultSet, query string) evalResult {
	if len(results) == 0 || len(results[0].Expressions) == 0 {
		return evalResult{Query: query}
	}
	return evalResult{Defined: true, Value: results[0].Expressions[0].Value, Query: query}
}

func (p *policy) document() map[string]any {
	if p.request.Data == nil {
		return map[string]any{}
	}
	return p.request.Data
}

// timeOf is what time.now_ns answers: the time of the decision, as in the gateway.
func timeOf(input any) time.Time {
	document, _ := input.(map[string]any)
	environment, _ := document["environment"].(map[string]any)
	text, _ := environment["time"].(string)
	moment, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Unix(0, 0)
	}
	return moment
}
