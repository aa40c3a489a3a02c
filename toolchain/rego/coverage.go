package rego

import (
	"math"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
)

// coverageReport counts lines of the policy itself; tests and generated text are left out.
type coverageReport struct {
	Percent         float64                 `json:"percent"`
	CoveredLines    int                     `json:"covered_lines"`
	NotCoveredLines int                     `json:"not_covered_lines"`
	Files           map[string]fileCoverage `json:"files"`
}

type fileCoverage struct {
	Percent    float64   `json:"percent"`
	NotCovered []rowSpan `json:"not_covered"`
}

type rowSpan struct {
	First int `json:"first"`
	Last  int `json:"last"`
}

func reportCoverage(measured cover.Report, sources map[string]*ast.Module) *coverageReport {
	report := &coverageReport{Files: map[string]fileCoverage{}}
	for path := range sources {
		file := measured.Files[path]
		if file == nil {
			continue
		}
		report.CoveredLines += file.CoveredLines
		report.NotCoveredLines += file.NotCoveredLines
		report.Files[path] = fileCoverage{Percent: toTenth(file.Coverage), NotCovered: spansOf(file.NotCovered)}
	}
	if total := report.CoveredLines + report.NotCoveredLines; total > 0 {
		report.Percent = toTenth(100 * float64(report.CoveredLines) / float64(total))
	}
	return report
}

func spansOf(ranges []cover.Range) []rowSpan {
	spans := []rowSpan{}
	for _, one := range ranges {
		spans = append(spans, rowSpan{First: one.Start.Row, Last: one.End.Row})
	}
	return spans
}

func toTenth(percent float64) float64 { return math.Round(percent*10) / 10 }
