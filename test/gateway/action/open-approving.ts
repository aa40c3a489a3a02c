/**
 * A gateway whose policies hold calls for people in the ways that the tests need, and people who
 * decide about them.
 */
import type { ActionRequest } from "../../../src/gateway/gateway.ts";
import type { Approval } from "../../../src/policy/approvals/approval.ts";
import type { Ruling } from "../../../src/policy/approvals/approval-changes.ts";
import { compileBundle } from "../../policy/engine/policies.ts";
import { eventually } from "../../support/eventually.ts";
import { tool } from "../fake-server.ts";
import type { FakeServerSettings } from "../fake-server.ts";
import { openGateway } from "../open-gateway.ts";
import type { OpenOptions } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";

const server = `
# METADATA
# scope: rule
# custom:
#   id: test.anything
#   actions: [prompt_get, elicitation]
allow contains {"rule": rego.metadata.rule()} if input.action.server

require_approval contains {"code": "own_rule", "approvers": ["mallory"], "channels": ["client"]} if {
	input.action.tool == "own"
}
`;

const organisation = `
capabilities := {"servers": ["*"], "tools": ["*", "*/*"], "scopes": ["*"]}

require_approval contains {"code": "people_first", "approvers": [], "channels": []} if {
	input.action.type == "tool_call"
	input.action.tool in {"wipe", "late", "slow"}
}

require_approval contains {"code": "people_first", "approvers": [], "channels": []} if {
	input.action.prompt == "wipe"
}

require_approval contains {"code": "ask_them", "approvers": [], "channels": ["client", "cli"]} if {
	input.action.tool == "form"
}

require_approval contains {"code": "first", "approvers": ["group:a"], "channels": []} if {
	input.action.tool == "two"
}

require_approval contains {"code": "second", "approvers": ["bob"], "channels": []} if {
	input.action.tool == "two"
}

require_approval contains {"code": "own", "approvers": ["self"], "channels": []} if {
	input.action.tool == "mine"
}

require_approval contains {"code": "soon", "approvers": [], "channels": [], "ttl_seconds": 3600} if {
	input.action.tool == "soon"
}

require_approval contains {"code": "answer", "approvers": [], "channels": []} if {
	contains(json.marshal(input.action.input_responses), "needs a person")
}

deny contains "not_any_more" if {
	input.action.tool == "late"
	input.approval != null
}
`;

const tools = ["wipe", "late", "slow", "form", "two", "mine", "soon", "own", "plain"];

/** Compiles both; once for each file. */
export async function compileApprovingPolicies(): Promise<TestPolicies> {
  const own = await compileBundle({ name: "std", kind: "server", rego: server });
  const identity = await compileBundle({ name: "identity", kind: "identity", rego: organisation });
  return { server: (name) => ({ ...own, name }), identity };
}

export interface ApprovingOptions extends Partial<Omit<OpenOptions, "servers" | "policies">> {
  readonly server?: FakeServerSettings;
}

/** A gateway with one server, `crm`, whose held calls wait as `settings` says; default 20 s. */
export function openApproving(policies: TestPolicies, options: ApprovingOptions = {}) {
  const { server: more = {}, settings = {}, ...rest } = options;
  const crm = {
    tools: tools.map((name) => tool(name)),
    prompts: [{ name: "wipe" }],
    ...more,
  };
  const opened = openGateway({
    servers: { crm },
    policies,
    settings: { approvals: { wait: "20s" }, ...settings },
    ...rest,
  });
  const sent = () =>
    (opened.servers["crm"]?.sent ?? []).filter(({ method }) => method === "tools/call");
  const call = (name: string, args: object = {}, request: Partial<ActionRequest> = {}) =>
    opened.act(
      { type: "tool_call", name: `crm__${name}`, argumentsJson: JSON.stringify(args) },
      request,
    );
  const all = async () => await (await opened.approvals.open()).list();
  /** Waits for a request of this tool that nobody has decided about, and decides. */
  const rule = async (name: string, ruling: Partial<Ruling> = {}): Promise<Approval> => {
    let found: Approval | undefined;
    await eventually(async () => {
      found = (await all()).find((one) => one.tool === name && one.status === "pending");
      return found !== undefined;
    });
    return await (await opened.approvals.open()).rule(found?.id ?? "", { ...ann, ...ruling });
  };
  return { ...opened, sent, call, all, rule };
}

export function person(name: string, ...groups: string[]) {
  return { name, names: [name], groups };
}

const ann = { verdict: "approve", approver: person("ann"), channel: "cli", reason: null } as const;
