import { beforeAll, describe, expect, test } from "vitest";
import { bundleOf } from "../../policy/engine/policies.ts";
import { text, tool } from "../fake-server.ts";
import type { OpenGateway } from "../open-gateway.ts";
import { legacyClient, principal, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";
import { canaryBundle, openCanaries } from "./open-canaries.ts";

const patience = { timeout: 60_000 };
const denies = 'deny contains "too_new" if input.action.tool == "get"';
const silent = 'warn contains "seen"';
/** Never for denials. */
const lasting = { abort: { denied_principals_percent: 100, min_principals: 2 } };

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

type Admission = OpenGateway["admissions"][number];
const asked = ({ layers }: Admission): readonly string[] => layers.map(({ layer }) => layer.name);
const reasonsOf = ({ answer }: Admission): readonly string[] => answer.reasons;

async function namesOf({ gateway }: OpenGateway, user = "alice") {
  const { items } = await gateway.list(legacyClient({ principal: principal(user) }), "tools");
  return items.map(({ name }) => name);
}

describe("a canary of a layer", patience, () => {
  test("refuses what its layer does not, and the record says which of them it was", async () => {
    const { as, call, events } = await openCanaries(policies, {
      rules: { kind: "compliance", rego: silent, canary: denies, setting: lasting },
    });
    const { answer, layers } = await as("alice");
    expect(answer).toMatchObject({ allow: false, reasons: ["too_new"] });
    expect(answer.metadata.bundles).toMatchObject({
      rules: { revision: "1.0.0" },
      "rules~canary": { revision: "2" },
    });
    expect(layers.at(-1)?.layer).toMatchObject({ name: "rules~canary", canaryOf: "rules" });
    expect(events.filter((event) => event === "sent tools/call")).toEqual([]);
    expect(readReply(await call("crm__put"))).not.toHaveProperty("isError", true);
  });

  test("is asked about the principals it drew, and about nobody else", async () => {
    const gateway = await openCanaries(policies, {
      rules: {
        kind: "compliance",
        rego: silent,
        canary: denies,
        setting: { ...lasting, percent: 50 },
      },
    });
    const seen = new Map<string, boolean>();
    for (const user of Array.from({ length: 24 }, (_, at) => `user-${at}`)) {
      const record = await gateway.as(user);
      const isAsked = asked(record).includes("rules~canary");
      expect(reasonsOf(record)).toEqual(isAsked ? ["too_new"] : []);
      seen.set(user, isAsked);
    }
    expect(new Set(seen.values())).toEqual(new Set([true, false]));
    for (const [user, isAsked] of seen) {
      expect(asked(await gateway.as(user)).includes("rules~canary")).toBe(isAsked);
    }
  });

  test("that is not there, or cannot be used, leaves the decision to its layer", async () => {
    const gateway = await openCanaries(policies, {
      rules: { kind: "compliance", rego: silent, canary: undefined, setting: lasting },
    });
    expect(reasonsOf(await gateway.as("alice"))).toEqual([]);
    expect(gateway.gateway.policyStanding()).toBe("ready");
    await gateway.put("rules~canary", bundleOf({ name: "rules", wasm: new Uint8Array([0, 97]) }));
    const record = await gateway.as("alice");
    expect(reasonsOf(record)).toEqual([]);
    expect(asked(record)).toEqual(["crm", "rules"]);
  });

  test("is not asked where its layer is not", async () => {
    const gateway = await openCanaries(policies, {
      rules: {
        kind: "compliance",
        rego: silent,
        canary: denies,
        setting: lasting,
        config: { when: { agents: ["other"] } },
      },
    });
    expect(asked(await gateway.as("alice"))).toEqual(["crm"]);
  });

  test("hides from lists and from calls alike, for whom it drew", async () => {
    const hides = 'hide contains "h" if input.action.tool == "put"';
    const gateway = await openCanaries(policies, {
      rules: {
        kind: "workflow",
        rego: silent,
        canary: hides,
        setting: { ...lasting, percent: 50 },
      },
    });
    const counts = new Set<number>();
    for (const user of Array.from({ length: 16 }, (_, at) => `user-${at}`)) {
      const names = await namesOf(gateway, user);
      counts.add(names.length);
      const { answer } = await gateway.as(user, "crm__put");
      expect(answer.allow).toBe(names.includes("crm__put"));
    }
    expect(counts).toEqual(new Set([1, 2]));
  });

  test("that fails refuses, and names no other layer", async () => {
    const gateway = await openCanaries(policies, {
      rules: {
        kind: "compliance",
        rego: silent,
        canary: "deny contains 42 if input.action.args",
        setting: lasting,
      },
    });
    const { answer, layers } = await gateway.as("alice");
    expect(answer.reasons).toEqual(["policy_error"]);
    expect(layers.filter(({ ok }) => !ok).map(({ layer }) => layer.name)).toEqual(["rules~canary"]);
  });

  test("judges results for whom it drew", async () => {
    const judges = 'deny contains "bad_result" if input.phase == "result"';
    const gateway = await openCanaries(
      policies,
      { rules: { kind: "compliance", rego: silent, canary: judges, setting: lasting } },
      {},
      { tools: [tool("get")], answer: () => text("fine") },
    );
    const reply = readReply(await gateway.call("crm__get"));
    expect(JSON.stringify(reply)).toContain("bad_result");
    expect(gateway.outcomes.at(-1)).toMatchObject({ outcome: "completed_withheld" });
  });

  test("counts nothing before it is the policy", async () => {
    const gateway = await openCanaries(policies, {
      rules: { kind: "compliance", rego: silent, canary: undefined, setting: lasting },
    });
    const counters = { few: { key: ["user"], window: { sliding: "1h" }, limit: 1 } };
    const bundle = await canaryBundle("rules", "compliance", silent);
    await gateway.put("rules~canary", { ...bundle, metadata: { ...bundle.metadata, counters } });
    for (let turn = 0; turn < 3; turn += 1) {
      const record = await gateway.as("alice");
      expect(reasonsOf(record)).toEqual([]);
      expect(asked(record)).toContain("rules~canary");
    }
  });
});

describe("what layers hear of a canary", patience, () => {
  const denied = (rule: string): string => `
# METADATA
# scope: rule
# custom:
#   id: ${rule}
#   overridable: true
deny contains {"rule": rego.metadata.rule()} if input.action.args
`;
  const waiver = (rule: string): string =>
    `{"bundle": "rules", "rule": "${rule}", "justification": "j", "expires": "2999-01-01T00:00:00Z"}`;

  test("are no denials: a waiver that goes by them lifts what it lifted before", async () => {
    const gateway = await openCanaries(policies, {
      rules: { kind: "compliance", rego: denied("old"), canary: denied("new"), setting: lasting },
      lifts: {
        kind: "overrides",
        rego: `waive contains ${waiver("old")} if { some one in input.denials; one.rule == "new" }
waive contains ${waiver("new")} if { some one in input.denials; one.rule == "new" }`,
      },
    });
    expect(reasonsOf(await gateway.as("alice"))).toEqual(["old", "new"]);
  });

  test("is nothing of classes and capabilities either, and it sees those of the layers", async () => {
    const look = `deny contains "classes_changed" if input.action.data_classes_referenced != ["unclassified"]
deny contains "capabilities_changed" if input.layers.who.capabilities.tools != ["*"]`;
    const allow = 'allow contains "any"';
    const may = (tools: string): string =>
      `capabilities := {"servers": ["*"], "tools": ["${tools}"], "scopes": ["*"]}`;
    const gateway = await openCanaries(policies, {
      crm: {
        kind: "server",
        rego: allow,
        canary: `${allow}\n\ndata_classes contains "secret"`,
        setting: lasting,
      },
      who: { kind: "identity", rego: may("*"), canary: may("g*"), setting: lasting },
      rules: { kind: "compliance", rego: look, canary: look, setting: lasting },
    });
    const record = await gateway.as("alice");
    expect(reasonsOf(record)).toEqual([]);
    expect(asked(record)).toEqual([
      "crm",
      "crm~canary",
      "who",
      "who~canary",
      "rules",
      "rules~canary",
    ]);
    expect(await namesOf(gateway)).toEqual(["crm__get"]);
  });
});

describe("a canary of a server's policy", patience, () => {
  test("has to grant what the policy grants", async () => {
    const canary = 'allow contains "get" if input.action.tool == "get"';
    const gateway = await openCanaries(policies, {
      crm: { kind: "server", canary, setting: lasting },
    });
    expect(reasonsOf(await gateway.as("alice", "crm__get"))).toEqual([]);
    expect(reasonsOf(await gateway.as("alice", "crm__put"))).toEqual(["no_rule_allows"]);
  });

  test("grants nothing that the policy does not", async () => {
    const rego = 'allow contains "get" if input.action.tool == "get"';
    const canary = 'allow contains "any"';
    const gateway = await openCanaries(policies, {
      crm: { kind: "server", rego, canary, setting: lasting },
    });
    expect(reasonsOf(await gateway.as("alice", "crm__put"))).toEqual(["no_rule_allows"]);
  });
});
