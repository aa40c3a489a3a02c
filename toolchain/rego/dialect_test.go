package rego

import (
	"encoding/json"
	"strings"
	"testing"
)

// As the pages of these projects write them.
const (
	conftestPolicy = `package main

deny contains msg if {
	input.kind == "Deployment"
	not input.spec.template.spec.securityContext.runAsNonRoot
	msg := "Containers must not run as root"
}

violation_labels contains {"msg": "no app label", "severity": "low"} if {
	input.kind == "Deployment"
	not input.spec.selector.matchLabels.app
}

warn contains "no owner" if not input.metadata.labels.owner
`
	gatekeeperPolicy = `package k8srequiredlabels

violation contains {"msg": msg, "details": {"missing_labels": missing}} if {
	provided := {label | input.review.object.metadata.labels[label]}
	required := {label | label := input.parameters.labels[_]}
	missing := required - provided
	count(missing) > 0
	msg := sprintf("you must provide labels: %v", [missing])
}
`
	envoyPolicy = `package envoy.authz

import input.attributes.request.http as http_request

default allow := {"allowed": false, "body": "Unauthorized Request", "http_status": 403}

allow := {"allowed": true, "headers": {"x-ext-auth-allow": "yes"}} if {
	http_request.method == "POST"
	input.parsed_body.params.name == "get_customer"
}
`
)

func decided(t *testing.T, source string, writtenFor any, input map[string]any) any {
	t.Helper()
	response := ask(t, map[string]any{
		"op":            "eval",
		"modules":       map[string]string{"p.rego": source},
		"manifest":      map[string]any{"metadata": map[string]any{"written_for": writtenFor}},
		"host_builtins": []string{"sprintf"},
		"schema":        map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{}},
		"input":         input,
	})
	if response.Fault != "" || len(response.Problems) > 0 {
		t.Fatalf("%s %v", response.Fault, response.Problems)
	}
	result := response.Result.(map[string]any)
	if result["defined"] != true {
		return nil
	}
	return result["value"]
}

func call(tool string, args any) map[string]any {
	return map[string]any{
		"user":   map[string]any{"id": "alice", "groups": []string{"ops"}},
		"agent":  map[string]any{"id": "bot"},
		"action": map[string]any{"type": "tool_call", "server": "k8s", "tool": tool, "args": args},
	}
}

func manifestArgs(manifest any) map[string]any { return map[string]any{"manifest": manifest} }

func TestPoliciesOfOtherProjectsDecide(t *testing.T) {
	deployment := map[string]any{"kind": "Deployment", "metadata": map[string]any{"labels": map[string]any{"owner": "a"}}}
	labelled := map[string]any{"kind": "Namespace", "metadata": map[string]any{"labels": map[string]any{"gatekeeper": "x"}}}
	ofManifest := map[string]any{"project": "conftest", "object": "action.args.manifest", "tools": []string{"apply"}}
	labels := map[string]any{"project": "gatekeeper", "parameters": map[string]any{"labels": []string{"gatekeeper"}}}
	cases := []struct {
		name, source string
		writtenFor   any
		input        map[string]any
		expected     string
	}{
		{"conftest refuses", conftestPolicy, ofManifest, call("apply", manifestArgs(deployment)),
			`{"deny":[{"details":{"severity":"low"},"msg":"no app label"},{"msg":"Containers must not run as root"}],"warn":[]}`},
		{"conftest warns", conftestPolicy, ofManifest, call("apply", manifestArgs(map[string]any{"kind": "Service"})),
			`{"deny":[],"warn":[{"msg":"no owner"}]}`},
		{"conftest is not asked of another tool", conftestPolicy, ofManifest, call("logs", nil), `{"deny":[],"warn":[]}`},
		{"conftest refuses what is no object", conftestPolicy, ofManifest, call("apply", manifestArgs("kind: Deployment")),
			`{"deny":[{"details":{"object":"action.args.manifest"},"msg":"The arguments hold no object where the policy judges one."}],"warn":[{"msg":"no owner"}]}`},
		{"conftest refuses what is not there", conftestPolicy, ofManifest, call("apply", nil),
			`{"deny":[{"details":{"object":"action.args.manifest"},"msg":"The arguments hold no object where the policy judges one."}],"warn":[{"msg":"no owner"}]}`},
		{"conftest judges the whole input", "package main\n\nviolation contains \"no\" if input.action.tool == \"apply\"", "conftest", call("apply", nil),
			`{"deny":[{"msg":"no"}],"warn":[]}`},
		{"gatekeeper refuses", gatekeeperPolicy, labels, call("apply", deployment),
			`{"deny":[{"details":{"missing_labels":["gatekeeper"]},"msg":"you must provide labels: {\"gatekeeper\"}"}],"warn":[]}`},
		{"gatekeeper has nothing to say", gatekeeperPolicy, labels, call("apply", labelled), `{"deny":[],"warn":[]}`},
		{"gatekeeper sees who asks and what for", "package g\n\nviolation contains {\"msg\": concat(\" \", [r.userInfo.username, r.kind.group, r.kind.version, r.kind.kind, r.name])} if r := input.review",
			"gatekeeper", call("apply", map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "web"}}),
			`{"deny":[{"msg":"alice apps v1 Deployment web"}],"warn":[]}`},
		{"envoy grants and headers are not passed on", envoyPolicy, "envoy", call("get_customer", map[string]any{}),
			`{"allow":true,"deny":[],"warn":[{"details":{"members":["headers"]},"msg":"Headers of the policy's answer are not passed on."}]}`},
		{"envoy refuses with its body", envoyPolicy, "envoy", call("purge", map[string]any{}),
			`{"allow":false,"deny":[{"details":{"http_status":403},"msg":"Unauthorized Request"}],"warn":[]}`},
		{"envoy as a boolean", "package e\n\ndefault allow := false\n\nallow if input.parsed_body.params.arguments.id == 1", "envoy", call("a", map[string]any{"id": 1}),
			`{"allow":true,"deny":[],"warn":[]}`},
		{"envoy undefined", "package e\n\nallow if input.attributes.request.http.path == \"/other\"", "envoy", call("a", nil), `{"allow":false,"deny":[],"warn":[]}`},
		{"envoy with a result object", "package e\n\nresult[\"allowed\"] := true\n\nresult[\"http_status\"] := 200\n\nallow := false", "envoy", call("a", nil), `{"allow":true,"deny":[],"warn":[]}`},
		{"envoy in another shape", "package e\n\nallow := \"yes\"", "envoy", call("a", nil),
			`{"allow":false,"deny":[{"msg":"The policy's answer is neither a boolean nor an object with allowed."}],"warn":[]}`},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			text, _ := json.Marshal(decided(t, one.source, one.writtenFor, one.input))
			if string(text) != one.expected {
				t.Errorf("expected %s\nfound    %s", one.expected, text)
			}
		})
	}
}

func TestProblemsOfWrittenFor(t *testing.T) {
	cases := []struct {
		name, layer, source string
		writtenFor          any
		code, message       string
	}{
		{"an unknown project", "server", conftestPolicy, "cerbos", "contract_dialect", "conftest, gatekeeper or envoy"},
		{"an unknown member", "server", conftestPolicy, map[string]any{"project": "conftest", "objekt": "a"}, "contract_dialect", "objekt"},
		{"a path with an expression", "server", conftestPolicy, map[string]any{"project": "conftest", "object": "a[x]"}, "contract_dialect", "path below input"},
		{"parameters for conftest", "server", conftestPolicy, map[string]any{"project": "conftest", "parameters": map[string]any{}}, "contract_dialect", "gatekeeper alone"},
		{"an object for envoy", "server", envoyPolicy, map[string]any{"project": "envoy", "object": "action"}, "contract_dialect", "name alone"},
		{"a grant outside the server", "compliance", envoyPolicy, "envoy", "contract_layer", "belongs to layer server"},
		{"no rule that is read", "server", "package p\n\nallow := true", "gatekeeper", "contract_empty", "gatekeeper reads"},
		{"a denial that is no set", "server", "package p\n\ndeny := true", "conftest", "contract_shape", "deny contains"},
		{"an exception", "server", "package p\n\ndeny contains 1 if input\n\nexception contains [\"a\"]", "conftest", "contract_dialect", "exception"},
		{"a generated name", "server", "package p\n\ndeny contains 1 if gateway_x\n\ngateway_x := true", "conftest", "contract_reserved", "gateway_x"},
		{"its own decision", "server", "package p\n\ndeny contains 1 if decision\n\ndecision := true", "conftest", "contract_reserved", "decision"},
		{"a violation nobody declared", "server", gatekeeperPolicy, nil, "contract_near_miss", "did you mean deny?"},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			response := ask(t, map[string]any{
				"op": "check", "modules": map[string]string{"p.rego": one.source},
				"manifest": map[string]any{"metadata": map[string]any{"layer": one.layer, "written_for": one.writtenFor}},
			})
			expectProblem(t, response, one.code, one.message)
		})
	}
}

func expectProblem(t *testing.T, response Response, code, message string) {
	t.Helper()
	for _, problem := range response.Problems {
		if problem.Code == code && strings.Contains(problem.Message, message) {
			return
		}
	}
	t.Errorf("expected %s with %q, found %v %s", code, message, response.Problems, response.Fault)
}
