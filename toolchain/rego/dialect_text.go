package rego

import (
	"encoding/json"
	"fmt"
	"strings"
)

// The Rego that is generated around a policy of another project. Its own rules are asked with the
// input that the project would hand them.

// setElements asks one rule. A sentence alone becomes `msg`, what stands beside `msg` is detail; other
// elements are left as they are, and refused where the answer is read.
const setElements = `
gateway_%[1]s contains gateway_element(element) if {
	gateway_is_judged
	some element in %[2]s with input as gateway_input
}
`

const emptySets = `
gateway_warn contains null if false

gateway_element(element) := {"msg": element} if {
	is_string(element)
} else := element if {
	is_string(element.msg)
	object.remove(element, ["msg", "details"]) == {}
} else := {"msg": element.msg, "details": object.remove(element, ["msg"])} if {
	is_string(element.msg)
} else := element
`

// objectText says which calls are judged, and of them what. An object that is not there is a denial:
// the agent chooses the arguments, and leaving one out must not be a way around the policy.
func (w *writtenFor) objectText() string {
	judged := "\ngateway_is_judged := true\n"
	if len(w.Tools) > 0 {
		judged = fmt.Sprintf("\ngateway_is_judged if {\n\tinput.action.type == \"tool_call\"\n\tinput.action.tool in %s\n}\n", inRego(w.Tools))
	}
	if w.Object == "" {
		return judged + "\ngateway_object := input\n\ngateway_deny contains null if false\n"
	}
	path := inRego(strings.Split(w.Object, "."))
	return judged + fmt.Sprintf(`
gateway_found := object.get(input, %[1]s, null)

gateway_object := gateway_found if {
	is_object(gateway_found)
} else := {}

gateway_deny contains {"msg": "The arguments hold no object where the policy judges one.", "details": {"object": %[2]s}} if {
	gateway_is_judged
	not is_object(gateway_found)
}
`, path, inRego(w.Object))
}

// reviewText is the admission review of Gatekeeper with the object of the call. Without a kind of its
// own the object goes by the name of its tool.
func reviewText(w *writtenFor) string {
	parameters := w.Parameters
	if parameters == nil {
		parameters = map[string]any{}
	}
	return fmt.Sprintf(`{
	"review": {
		"kind": {"group": gateway_version[0], "version": gateway_version[1], "kind": object.get(gateway_object, "kind", object.get(input, ["action", "tool"], ""))},
		"operation": "CREATE",
		"name": object.get(gateway_object, ["metadata", "name"], ""),
		"namespace": object.get(gateway_object, ["metadata", "namespace"], ""),
		"userInfo": {"username": object.get(input, ["user", "id"], ""), "groups": object.get(input, ["user", "groups"], [])},
		"object": gateway_object,
	},
	"parameters": %s,
}

gateway_version := parts if {
	parts := split(object.get(gateway_object, "apiVersion", ""), "/")
	count(parts) == 2
} else := ["", object.get(gateway_object, "apiVersion", "")]
`, inRego(parameters))
}

// checkRequest is what Envoy's external authorization would ask about the HTTP request of this call.
const checkRequest = `{
	"version": {"encoding": "protojson", "ext_authz": "v3"},
	"attributes": {
		"source": {"principal": object.get(input, ["agent", "id"], "")},
		"destination": {"principal": object.get(input, ["action", "server"], "")},
		"request": {"http": {
			"method": "POST",
			"path": "/mcp",
			"host": object.get(input, ["action", "server"], ""),
			"protocol": "HTTP/1.1",
			"headers": {":method": "POST", ":path": "/mcp", ":authority": object.get(input, ["action", "server"], ""), "content-type": "application/json"},
			"body": json.marshal(gateway_message),
		}},
	},
	"parsed_path": ["mcp"],
	"parsed_query": {},
	"parsed_body": gateway_message,
	"truncated_body": false,
}

gateway_message := {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": input.action.tool, "arguments": input.action.args}} if {
	input.action.type == "tool_call"
} else := {"jsonrpc": "2.0", "method": object.get(input, ["action", "type"], ""), "params": object.remove(input.action, ["type"])}
`

// grantDecision reads Envoy's answer: a boolean, or an object with one. Headers cannot be passed on,
// which is on record.
const grantDecision = `
decision := {"allow": gateway_grants, "deny": gateway_deny, "warn": gateway_warn} if is_object(gateway_input)

# Through a function, so that it may be of any type.
gateway_answer := gateway_any(answer) if answer := %s with input as gateway_input

gateway_any(value) := value

default gateway_grants := false

gateway_grants if gateway_answer == true

gateway_grants if gateway_answer.allowed == true

gateway_deny contains {"msg": gateway_answer.body, "details": object.remove(gateway_answer, ["body", "allowed"])} if {
	gateway_answer.allowed == false
	is_string(gateway_answer.body)
	gateway_answer.body != ""
}

gateway_deny contains {"msg": "The policy's answer is neither a boolean nor an object with allowed."} if {
	answer := gateway_answer
	not is_boolean(answer)
	not is_boolean(object.get({"of": answer}, ["of", "allowed"], null))
}

gateway_warn contains {"msg": "Headers of the policy's answer are not passed on.", "details": {"members": members}} if {
	gateway_answer.allowed == true
	members := [name | some name, _ in gateway_answer; not name in {"allowed", "body", "http_status"}]
	count(members) > 0
}
`

// inRego writes JSON, which is Rego.
func inRego(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return "null"
	}
	return string(text)
}
