// Package rego answers requests about Rego policies with OPA's own packages: check, build, test,
// evaluate, inspect. Same request, same answer: nothing is remembered, no clock is read but for
// the durations of tests, and everything that has an order is sorted.
package rego

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime/debug"

	"github.com/open-policy-agent/opa/v1/util"
)

// Request is what the host sends; each operation reads the members it needs.
type Request struct {
	Op           string            `json:"op"`
	Modules      map[string]string `json:"modules"`
	Data         map[string]any    `json:"data"`
	Manifest     Manifest          `json:"manifest"`
	Layer        string            `json:"layer"`
	Schema       any               `json:"schema"`
	HostBuiltins []string          `json:"host_builtins"`
	Filter       string            `json:"filter"`
	Input        any               `json:"input"`
	Query        string            `json:"query"`
}

// Manifest is the author's `.manifest`: what OPA knows, before the build adds to it.
type Manifest struct {
	Revision string         `json:"revision"`
	Roots    []string       `json:"roots"`
	Metadata map[string]any `json:"metadata"`
	// RegoVersion and FileRegoVersions (by glob) say which modules are Rego v0; 1 where they do not.
	RegoVersion      *int           `json:"rego_version,omitempty"`
	FileRegoVersions map[string]int `json:"file_rego_versions,omitempty"`
}

// Response holds a result, or the problems of the policy, or the fault of the request itself.
type Response struct {
	Result   any       `json:"result,omitempty"`
	Problems []Problem `json:"problems,omitempty"`
	Fault    string    `json:"fault,omitempty"`
}

type operation func(*Request) (any, []Problem)

var operations = map[string]operation{
	"build":        build,
	"capabilities": publishCapabilities,
	"check":        check,
	"eval":         evaluate,
	"inspect":      inspect,
	"test":         test,
	"version":      reportVersion,
}

// Handle answers one request. It never panics: what OPA throws becomes the answer's fault.
func Handle(request string) (answer string) {
	defer func() {
		if thrown := recover(); thrown != nil {
			answer = encode(Response{Fault: fmt.Sprintf("%v\n%s", thrown, debug.Stack())})
		}
	}()
	return encode(dispatch(request))
}

func dispatch(text string) Response {
	var request Request
	if err := util.NewJSONDecoder(bytes.NewBufferString(text)).Decode(&request); err != nil {
		return Response{Fault: "expected a request in JSON: " + err.Error()}
	}
	run, known := operations[request.Op]
	if !known {
		return Response{Fault: fmt.Sprintf("unknown operation %q", request.Op)}
	}
	result, problems := run(&request)
	if len(problems) > 0 {
		return Response{Problems: sorted(problems)}
	}
	return Response{Result: result}
}

func encode(response Response) string {
	text, err := json.Marshal(response)
	if err != nil {
		text, _ = json.Marshal(Response{Fault: "answer is not JSON: " + err.Error()})
	}
	return string(text)
}
