/**
 * Which layers are asked, and how much of what they say counts.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { OpenGateway } from "../open-gateway.ts";
import { legacyClient, principal, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";
import { openLayers } from "./open-layers.ts";

const patience = { timeout: 60_000 };
const compliance = (code: string, config: object = {}) =>
  ({ kind: "compliance", rego: `deny contains "${code}"`, config }) as const;

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

/** The codes that refuse a call, or none. */
async function reasons({ call, admissions }: OpenGateway, name: string, agent?: string) {
  const more = { agent: { ...principal("alice").agent, id: agent ?? "bot" } };
  const client = legacyClient({ principal: principal("alice", more) });
  await call(name, { client });
  return admissions.at(-1)?.answer.reasons;
}

const askedIn = ({ admissions }: OpenGateway) =>
  admissions.at(-1)?.layers.map(({ layer }) => layer.name);

describe("a layer for some servers", patience, () => {
  test("is asked about those alone, and the record names who was asked", async () => {
    const gateway = await openLayers(policies, {
      exact: compliance("exact", { when: { servers: ["crm"] } }),
      prefix: compliance("prefix", { when: { servers: ["ma*"] } }),
      all: { kind: "workflow", rego: 'warn contains "seen"' },
    });
    expect(await reasons(gateway, "crm__get")).toEqual(["exact"]);
    expect(askedIn(gateway)).toEqual(["crm", "exact", "all"]);
    expect(await reasons(gateway, "mail__get")).toEqual(["prefix"]);
    expect(askedIn(gateway)).toEqual(["mail", "prefix", "all"]);
  });

  test("denies nothing of the others where it has no bundle, and everything of its own", async () => {
    const missing = { kind: "compliance", rego: undefined } as const;
    const gateway = await openLayers(policies, {
      missing: { ...missing, config: { when: { servers: ["mail"] } } },
    });
    expect(await reasons(gateway, "crm__get")).toEqual([]);
    expect(await reasons(gateway, "mail__get")).toEqual(["no_policy"]);
  });

  test("hides nothing and keeps nobody out elsewhere", async () => {
    const config = { when: { servers: ["mail"] } };
    const nowhere = 'capabilities := {"servers": [], "tools": [], "scopes": []}';
    const gateway = await openLayers(policies, {
      outside: { kind: "identity", rego: nowhere, config },
      hiding: { kind: "workflow", rego: 'hide contains "h" if input.action.tool == "put"' },
    });
    const { items } = await gateway.gateway.list(legacyClient(), "tools");
    expect(items.map(({ name }) => name)).toEqual(["crm__get"]);
    expect(await reasons(gateway, "crm__get")).toEqual([]);
    expect(await reasons(gateway, "mail__get")).toEqual(["outside_capabilities"]);
  });
});

describe("a layer for some agents and environments", patience, () => {
  test("is asked for whom it names", async () => {
    const gateway = await openLayers(policies, {
      bots: compliance("bots", { when: { agents: ["bot"] } }),
      helpers: compliance("helpers", { when: { agents: ["helper-*"] } }),
    });
    expect(await reasons(gateway, "crm__get", "bot")).toEqual(["bots"]);
    expect(await reasons(gateway, "crm__get", "helper-3")).toEqual(["helpers"]);
    expect(await reasons(gateway, "crm__get", "bot2")).toEqual([]);
  });

  test("goes by the verified agent: a name that nobody vouches for sheds nothing", async () => {
    const waive =
      'waive contains {"bundle": "bots", "rule": "p.bots.deny", "justification": "j", "expires": "2999-01-01T00:00:00Z"}';
    const gateway = await openLayers(policies, {
      bots: compliance("bots", { when: { agents: ["bot"] } }),
      friends: { kind: "overrides", rego: waive, config: { when: { agents: ["other"] } } },
    });
    const agent = { ...principal("alice").agent, id: "other", authenticated: false };
    const client = legacyClient({ principal: principal("alice", { agent }) });
    await gateway.call("crm__get", { client });
    expect(gateway.admissions.at(-1)?.answer.reasons).toEqual(["bots"]);
    expect(askedIn(gateway)).toEqual(["crm", "bots"]);
  });

  test("is asked where the gateway runs, all conditions together", async () => {
    const layers = {
      east: compliance("east", { when: { regions: ["us-*"] } }),
      staging: compliance("staging", { when: { is_production: false } }),
      west: compliance("west", { when: { regions: ["us-west"] } }),
      both: compliance("both", { when: { regions: ["us-east"], servers: ["mail"] } }),
    };
    const environment = { region: "us-east", is_production: true };
    const gateway = await openLayers(policies, layers, { environment });
    expect(await reasons(gateway, "crm__get")).toEqual(["east"]);
    expect(await reasons(gateway, "mail__get")).toEqual(["east", "both"]);
    const test = await openLayers(policies, layers, {
      environment: { ...environment, is_production: false },
    });
    expect(await reasons(test, "crm__get")).toEqual(["east", "staging"]);
  });
});

describe("a layer that is only observed", patience, () => {
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const observed = { mode: "observe", until };
  const trial = { profile: "trial" };

  test("lets the call go, and the record says what it would have said", async () => {
    const gateway = await openLayers(policies, { new: compliance("new", observed) }, trial);
    expect(readReply(await gateway.call("crm__get"))).not.toHaveProperty("isError");
    expect(gateway.admissions).toMatchObject([
      {
        answer: { allow: true, effect: "deny", enforced: false, reasons: ["new"] },
        posture: "trial:layers.new.mode=observe",
      },
    ]);
    expect(gateway.outcomes).toMatchObject([{ outcome: "completed" }]);
  });

  test("is enforced after its end, without anybody's doing", async () => {
    const gateway = await openLayers(policies, { new: compliance("new", observed) }, trial);
    gateway.time.skewMs = 3_600_001;
    expect(readReply(await gateway.call("crm__get"))).toMatchObject({ isError: true });
    expect(gateway.admissions).toMatchObject([
      { answer: { allow: false, enforced: true }, posture: "trial:none" },
    ]);
  });

  test("lets no arguments go that are not what the tool's schema says", async () => {
    const gateway = await openLayers(policies, { new: compliance("new", observed) }, trial);
    const subject = { type: "tool_call", name: "crm__get", argumentsJson: "[]" } as const;
    await gateway.act(subject);
    expect(gateway.admissions).toMatchObject([{ answer: { reasons: ["arguments_invalid"] } }]);
    expect(gateway.servers["crm"]?.sent).toEqual([]);
  });
});

describe("waivers", patience, () => {
  const waive = (part: object) =>
    `waive contains ${JSON.stringify({
      bundle: "rules",
      rule: "r.one",
      justification: "agreed",
      expires: "2999-01-01T00:00:00Z",
      ...part,
    })}`;
  const rules = {
    kind: "compliance",
    rego: `# METADATA
# custom: {id: r.one, overridable: true}
deny contains {"rule": rego.metadata.rule()}`,
  } as const;
  const overrides = (...rego: string[]) =>
    ({ kind: "overrides", rego: rego.join("\n\n") }) as const;

  test("that are broken lift nothing, are on record, and fail nothing else", async () => {
    const broken = waive({ expires: "tomorrow" });
    const gateway = await openLayers(policies, { rules, overrides: overrides(broken) });
    expect(await reasons(gateway, "crm__get")).toEqual(["r.one"]);
    expect(gateway.admissions.at(-1)?.waivers).toMatchObject({
      used: [],
      expired: [],
      void: [{ bundle: "rules", rule: "r.one", expires: "tomorrow" }],
    });
    const mended = await openLayers(policies, { rules, overrides: overrides(broken, waive({})) });
    expect(await reasons(mended, "crm__get")).toEqual([]);
    expect(mended.admissions.at(-1)?.waivers).toMatchObject({ used: [{ rule: "r.one" }] });
  });

  test("count up to the operator's number", async () => {
    const layers = { rules, overrides: overrides(waive({ rule: "a" }), waive({})) };
    const within = await openLayers(policies, layers, { policy: { max_waivers: 2 } });
    expect(await reasons(within, "crm__get")).toEqual([]);
    const beyond = await openLayers(policies, layers, { policy: { max_waivers: 1 } });
    expect(await reasons(beyond, "crm__get")).toEqual(["r.one"]);
    expect(beyond.admissions.at(-1)?.waivers.void).toHaveLength(1);
  });
});
