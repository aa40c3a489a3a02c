package rego

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/util/channel"
)

// testReport is every test with its outcome, and which lines of the policy they reached.
type testReport struct {
	Tests    []testResult    `json:"tests"`
	Coverage *coverageReport `json:"coverage,omitempty"`
}

type testResult struct {
	Package    string     `json:"package"`
	Name       string     `json:"name"`
	File       string     `json:"file"`
	Row        int        `json:"row"`
	Outcome    string     `json:"outcome"` // pass, fail, error, skip
	DurationNs int64      `json:"duration_ns"`
	Output     string     `json:"output"`
	Error      string     `json:"error,omitempty"`
	FailedAt   *failure   `json:"failed_at,omitempty"`
	Cases      []testCase `json:"cases,omitempty"`
}

// failure is the last expression that was false.
type failure struct {
	File string `json:"file"`
	Row  int    `json:"row"`
	Col  int    `json:"col"`
	Text string `json:"text"`
}

type testCase struct {
	Name    string `json:"name"`
	Outcome string `json:"outcome"`
}

// test runs all tests that the filter names. A failed one is run again with a trace, since OPA
// measures coverage or traces, never both.
func test(request *Request) (any, []Problem) {
	policy, problems := verify(request)
	if len(problems) > 0 {
		return nil, problems
	}
	measured := cover.New()
	results, problems := policy.runTests(request.Filter, func(runner *tester.Runner) {
		runner.SetCoverageQueryTracer(measured).SetCoverageRuns(nil)
	})
	if len(problems) > 0 {
		return nil, problems
	}
	report := testReport{Tests: []testResult{}, Coverage: reportCoverage(measured.Report(policy.modules), policy.ownSources())}
	for _, result := range results {
		report.Tests = append(report.Tests, policy.describe(result))
	}
	slices.SortFunc(report.Tests, bySource)
	return report, nil
}

// ownSources leaves out what was copied from libraries, which are tested where they come from.
func (p *policy) ownSources() map[string]*ast.Module {
	own := map[string]*ast.Module{}
	for path, module := range p.sources {
		if !p.isCopied(path) {
			own[path] = module
		}
	}
	return own
}

func bySource(a, b testResult) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Row, b.Row), strings.Compare(a.Name, b.Name))
}

func (v *verified) runTests(filter string, configure func(*tester.Runner)) ([]*tester.Result, []Problem) {
	ctx, store := context.Background(), inmem.NewFromObject(v.document())
	transaction, err := store.NewTransaction(ctx, storage.WriteParams)
	if err != nil {
		return nil, problemsOf(err)
	}
	defer store.Abort(ctx, transaction)
	runner := tester.NewRunner().
		SetCompiler(newCompiler(v.request, true, v.schema())).
		SetStore(store).
		SetModules(v.testable()).
		CapturePrintOutput(true).
		SetParallel(1).
		Filter(filter)
	configure(runner)
	results, err := runner.RunTests(ctx, transaction)
	if err != nil {
		return nil, problemsOf(err)
	}
	return channel.Collect(results), nil
}

// testable adds the generated entrypoints, so that a test may ask for `decision`.
func (v *verified) testable() map[string]*ast.Module {
	modules := make(map[string]*ast.Module, len(v.modules)+1)
	for path, module := range v.modules {
		modules[path] = module.Copy()
	}
	if v.generated != nil {
		modules[generatedPath] = v.generated.Copy()
	}
	return modules
}

func (v *verified) describe(result *tester.Result) testResult {
	described := testResult{
		Package:    strings.TrimPrefix(result.Package, "data."),
		Name:       result.Name,
		File:       result.Location.File,
		Row:        result.Location.Row,
		Outcome:    outcomeOf(result),
		DurationNs: result.Duration.Nanoseconds(),
		Output:     string(result.Output),
		Cases:      casesOf(result.SubResults),
	}
	if result.Error != nil {
		described.Error = result.Error.Error()
	}
	if described.Outcome == "fail" {
		described.FailedAt = v.findFailure(result)
	}
	return described
}

func outcomeOf(result *tester.Result) string {
	switch {
	case result.Skip:
		return "skip"
	case result.Error != nil:
		return "error"
	case result.Fail:
		return "fail"
	default:
		return "pass"
	}
}

func casesOf(results tester.SubResultMap) []testCase {
	var cases []testCase
	for path, result := range results.Iter {
		outcome := "pass"
		if result.Fail {
			outcome = "fail"
		}
		cases = append(cases, testCase{Name: strings.Join(path, "/"), Outcome: outcome})
	}
	return cases
}

// findFailure runs one failed test again and looks for the last false expression in its trace.
func (v *verified) findFailure(result *tester.Result) *failure {
	only := "^" + regexp.QuoteMeta(result.Package+"."+result.Name) + "$"
	again, problems := v.runTests(only, func(runner *tester.Runner) { runner.EnableTracing(true) })
	if len(problems) > 0 || len(again) == 0 {
		return nil
	}
	for _, event := range slices.Backward(again[0].Trace) {
		expression, ok := event.Node.(*ast.Expr)
		if !ok || event.Op != topdown.FailOp || event.Location == nil || event.QueryID == 0 || expression.IsEvery() {
			continue
		}
		return &failure{event.Location.File, event.Location.Row, event.Location.Col, string(event.Location.Text)}
	}
	return nil
}
