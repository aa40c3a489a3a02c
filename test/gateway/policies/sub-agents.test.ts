/**
 * A sub-agent may be where it and every agent above it may be, and nowhere else.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { AgentIdentity } from "../../../src/contract/policy-input.ts";
import type { OpenGateway } from "../open-gateway.ts";
import { legacyClient, principal, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";
import { openLayers } from "./open-layers.ts";

const patience = { timeout: 60_000 };
const register = `
capabilities := {
	"worker": {"servers": ["*"], "tools": ["*"], "scopes": ["test"]},
	"reader": {"servers": ["*"], "tools": ["get"], "scopes": ["test", "reading"]},
	"planner": {"servers": ["crm"], "tools": ["*"], "scopes": ["*"]},
	"narrow": {"servers": ["*"], "tools": ["*"], "scopes": ["other"]},
	"scoped": {"servers": ["*"], "tools": ["*"], "scopes": ["*"]},
}[input.agent.id] if not input.agent.owner_team == "strangers"
`;
const agents = {
  planner: {},
  reader: { parent: "planner" },
  narrow: {},
  nobody: {},
  stranger: { owner_team: "strangers" },
  scoped: { owner_team: "strangers" },
};

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const open = (rego = register) =>
  openLayers(policies, { identity: { kind: "identity", rego } }, { agents });

const clientOf = (agent: Partial<AgentIdentity>) =>
  legacyClient({
    principal: principal("alice", {
      agent: { ...principal("alice").agent, id: "worker", ...agent },
    }),
  });

async function seen({ gateway }: OpenGateway, agent: Partial<AgentIdentity>) {
  const { items } = await gateway.list(clientOf(agent), "tools");
  return items.map(({ name }) => name);
}

describe("a sub-agent", patience, () => {
  test("sees and calls what its parent may too, chain and all", async () => {
    const gateway = await open();
    const all = ["crm__get", "crm__put", "mail__get", "mail__put"];
    expect(await seen(gateway, { parent: null })).toEqual(all);
    expect(await seen(gateway, { parent: "planner" })).toEqual(["crm__get", "crm__put"]);
    expect(await seen(gateway, { parent: "reader" })).toEqual(["crm__get"]);

    const client = clientOf({ parent: "reader" });
    const replies = [];
    for (const name of all) replies.push(readReply(await gateway.call(name, { client })));
    expect(replies.map(({ kind }) => kind)).toEqual(["result", "error", "error", "error"]);
    expect(gateway.servers["mail"]?.sent).toEqual([]);
  });

  test("is answered what lies outside as if it did not exist, and the record says why", async () => {
    const gateway = await open();
    const client = clientOf({ parent: "planner" });
    const outside = readReply(await gateway.call("mail__get", { client }));
    const unknown = readReply(await gateway.call("mail__gets", { client }));
    expect({ ...outside, message: "" }).toEqual({ ...unknown, message: "" });
    expect(gateway.admissions[0]).toMatchObject({
      answer: { allow: false, reasons: ["outside_capabilities"] },
      layers: [{ output: { parentCapabilities: [{ servers: ["crm"] }] } }],
    });
  });

  test("has to be in a scope of its parent's", async () => {
    const gateway = await open();
    expect(await seen(gateway, { parent: "narrow" })).toEqual([]);
    expect(await seen(gateway, { parent: "reader", scope: "reading" })).toEqual([]);
  });

  test.each<[string, Partial<AgentIdentity>, string]>([
    ["nobody knows", { parent: "ghost" }, "outside_capabilities"],
    ["the layer says nothing of", { parent: "nobody" }, "no_decision"],
  ])("sees nothing under a parent that %s", async (_, agent, reason) => {
    const gateway = await open();
    expect(await seen(gateway, agent)).toEqual([]);
    const reply = await gateway.call("crm__get", { client: clientOf(agent) });
    expect(reply).toMatchObject({ kind: "error", code: -32_602 });
    expect(gateway.admissions.at(-1)?.answer.reasons).toEqual([reason]);
  });

  test("is judged by what the operator says of the parent, not by what the sub-agent is", async () => {
    const gateway = await open();
    // The register knows `scoped`; as one of `strangers`, which `agents` says, it may be nowhere.
    expect(await seen(gateway, { parent: "scoped" })).toEqual([]);
  });

  test("is kept out by no layer that speaks of nobody's capabilities", async () => {
    const gateway = await open('hide contains "x" if input.action.tool == "put"');
    expect(await seen(gateway, { parent: "planner" })).toEqual(["crm__get", "mail__get"]);
  });

  test("sees nothing where the layer fails on its parent", async () => {
    const failing = `
capabilities := {"servers": ["*"], "tools": ["*"], "scopes": ["*"]} if not conflict

conflict := 1 if input.agent.id == "planner"

conflict := 2 if input.agent.id == "planner"
`;
    const gateway = await open(failing);
    expect(await seen(gateway, { parent: null })).toHaveLength(4);
    expect(await seen(gateway, { parent: "planner" })).toEqual([]);
  });
});

describe("a layer for the agent above", patience, () => {
  const forPlanner = { when: { agents: ["planner"] } };

  test.each<[string, Partial<AgentIdentity>]>([
    ["a sub-agent", { parent: "planner" }],
    ["a sub-agent of a sub-agent", { parent: "reader" }],
    ["the agent itself", { id: "planner" }],
  ])("keeps %s in its capabilities", async (_, agent) => {
    const rego = 'capabilities := {"servers": ["crm"], "tools": ["get"], "scopes": ["*"]}';
    const layers = { identity: { kind: "identity", rego, config: forPlanner } } as const;
    const gateway = await openLayers(policies, layers, { agents });
    expect(await seen(gateway, agent)).toEqual(["crm__get"]);
    expect(await seen(gateway, {})).toHaveLength(4);
    await gateway.call("mail__put", { client: clientOf(agent) });
    expect(gateway.servers["mail"]?.sent).toEqual([]);
  });

  test.each(["compliance", "workflow"] as const)(
    "refuses as %s what works for it",
    async (kind) => {
      const rego = 'deny contains "no_put" if input.action.tool == "put"';
      const gateway = await openLayers(
        policies,
        { law: { kind, rego, config: forPlanner } },
        { agents },
      );
      for (const parent of ["planner", "reader"]) {
        await gateway.call("crm__put", { client: clientOf({ parent }) });
        expect(gateway.admissions.at(-1)?.answer.reasons).toEqual(["no_put"]);
      }
      expect(gateway.servers["crm"]?.sent).toEqual([]);
      await gateway.call("crm__put", { client: clientOf({ parent: "narrow" }) });
      expect(gateway.servers["crm"]?.sent).toHaveLength(1);
    },
  );

  test("lifts nothing for what works for it", async () => {
    const waive =
      'waive contains {"bundle": "law", "rule": "law.put", "justification": "j", "expires": "2999-01-01T00:00:00Z"}';
    const rego = `# METADATA
# custom: {id: law.put, code: no_put, overridable: true}
deny contains {"rule": rego.metadata.rule()} if input.action.tool == "put"`;
    const gateway = await openLayers(
      policies,
      {
        law: { kind: "compliance", rego },
        friends: { kind: "overrides", rego: waive, config: forPlanner },
      },
      { agents },
    );
    await gateway.call("crm__put", { client: clientOf({ id: "planner" }) });
    expect(gateway.admissions.at(-1)?.answer.reasons).toEqual([]);
    await gateway.call("crm__put", { client: clientOf({ parent: "planner" }) });
    expect(gateway.admissions.at(-1)?.answer.reasons).toEqual(["no_put"]);
  });
});

describe("what an identity layer hides from an agent above", patience, () => {
  test.each(["", 'capabilities := {"servers": ["*"], "tools": ["*"], "scopes": ["*"]}'])(
    "is hidden from the sub-agent, with capabilities or without: %j",
    async (more) => {
      const gateway = await open(
        `hide contains "h" if {\n\tinput.action.tool == "put"\n\tinput.agent.id == "planner"\n}\n${more}`,
      );
      expect(await seen(gateway, { parent: "reader" })).toEqual(["crm__get", "mail__get"]);
      expect(await seen(gateway, { parent: "narrow" })).toHaveLength(4);
      const client = clientOf({ parent: "reader" });
      const hidden = readReply(await gateway.call("crm__put", { client }));
      const unknown = readReply(await gateway.call("crm__puts", { client }));
      expect({ ...hidden, message: "" }).toEqual({ ...unknown, message: "" });
      expect(gateway.admissions[0]?.answer.reasons).toEqual(["tool_hidden"]);
    },
  );
});
