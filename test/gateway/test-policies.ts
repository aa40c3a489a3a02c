/**
 * Two really compiled policies for tests of the spine: what is called `…denied…` is refused, a tool
 * that is called `…hidden…` and all that the server `hidden` has does not exist, everything else is
 * allowed.
 */
import type { Bundle } from "../../src/contract/bundle.ts";
import { compileBundle } from "../policy/engine/policies.ts";

const helpers = `
texts contains input.action[name] if some name in ["tool", "prompt", "uri", "uri_template"]
`;

const server = `
# METADATA
# scope: rule
# custom:
#   id: test.anything
#   actions:
#     - prompt_get
#     - resource_read
#     - resource_subscribe
#     - completion
#     - task_get
#     - task_result
#     - task_cancel
#     - task_update
#     - sampling
#     - elicitation
#     - roots_list
allow contains {"rule": rego.metadata.rule()} if {
	input.action.server
	not plain
}

# Grants tool calls and nothing else.
allow contains "plain" if plain

plain if {
	some text in texts
	contains(text, "ungranted")
}

deny contains "named_denied" if {
	some text in texts
	contains(text, "denied")
}

deny contains "answer_refused" if contains(json.marshal(input.action.input_responses), "forbidden")

deny contains "question_refused" if contains(json.marshal(input.action.message), "forbidden")

require_approval contains {"code": "ask_first", "approvers": [], "channels": []} if {
	some text in texts
	contains(text, "approved")
}

${helpers}`;

const identity = `
capabilities := {"servers": ["*"], "tools": ["*", "*/*"], "scopes": ["*"]}

hide contains "hidden" if contains(input.action.tool, "hidden")

hide contains "hidden" if input.action.server == "hidden"

hide contains "staff_only" if {
	contains(input.action.tool, "staff")
	not "staff" in input.user.groups
}
`;

/** A server's bundle of that name, and the identity layer. */
export interface TestPolicies {
  readonly server: (name: string) => Bundle;
  readonly identity: Bundle;
}

/** Compiles both; once for each file. */
export async function compileTestPolicies(): Promise<TestPolicies> {
  const own = await compileBundle({ name: "std", kind: "server", rego: server });
  const organisation = await compileBundle({ name: "identity", kind: "identity", rego: identity });
  return { server: (name) => ({ ...own, name }), identity: organisation };
}
