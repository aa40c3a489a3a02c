/**
 * What counts are kept by, and whose limits are enforced: nobody sheds a count by a restart, another
 * replica or a URI of their own, and a layer that is observed refuses nothing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import type { Bundle } from "../../../src/contract/bundle.ts";
import type { GatewayDeps } from "../../../src/gateway/create-gateway.ts";
import { canonicalJson } from "../../../src/contract/canonical-json.ts";
import { sha256Of } from "../../../src/contract/sha256.ts";
import { openJournalStore } from "../../../src/policy/usage/journal-store.ts";
import { load } from "../../config/support.ts";
import { compileBundle } from "../../policy/engine/policies.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import type { OpenGateway, OpenOptions } from "../open-gateway.ts";
import { legacyClient, openGateway, principal } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
let silent: Bundle;

beforeAll(async () => {
  policies = await compileTestPolicies();
  silent = await compileBundle({
    name: "law",
    kind: "compliance",
    rego: `deny contains "never" if input.action.tool == "never"`,
  });
}, 60_000);

const tools = ["pay", "denied"].map((name) => ({ name, inputSchema: { type: "object" } }));
const calls = { key: ["user"], limit: 3 };

function counting(counters: object, more: Partial<OpenOptions> = {}): OpenGateway {
  const server = (name: string): Bundle => ({ ...policies.server(name), metadata: { counters } });
  return openGateway({
    servers: { bank: { tools } },
    policies: { ...policies, server },
    ...more,
  });
}

function effects({ admissions }: OpenGateway): readonly string[] {
  return admissions.map(({ answer }) => answer.reasons[0] ?? answer.effect);
}

describe("a counter by conversation", { timeout: 60_000 }, () => {
  const ofTalk = { key: ["user", "conversation"], limit: 3 };

  /** Replicas have a state folder each and one store. */
  function sharing(): Partial<GatewayDeps> {
    const folder = join(temporaryFolder(), "usage");
    return { openUsageStore: async () => openJournalStore({ folder, clock: systemClock }) };
  }

  test("is one count for two replicas on one store", async () => {
    const deps = sharing();
    const [one, other] = [counting({ c: ofTalk }, { deps }), counting({ c: ofTalk }, { deps })];
    for (let made = 0; made < 5; made += 1) {
      await one.call("bank__pay");
      await other.call("bank__pay");
    }
    const sent = [one, other].map(({ servers }) => servers["bank"]?.sent.length ?? 0);
    expect(sent).toEqual([2, 1]);
  });

  test("is not begun anew by a restart, though nothing was allowed", async () => {
    const stateDir = temporaryFolder();
    const counters = { tries: { key: ["conversation"], limit: 2, cost: "attempts" } };
    const first = counting(counters, { stateDir });
    for (let tried = 0; tried < 2; tried += 1) await first.call("bank__denied");
    await first.gateway.close();
    for (let start = 0; start < 2; start += 1) {
      const next = counting(counters, { stateDir });
      await next.call("bank__pay");
      expect(effects(next)).toEqual(["budget_exhausted"]);
      await next.gateway.close();
    }
  });

  test("begins anew after the silence that ends one, for a user and nobody else", async () => {
    let upMs = 0;
    const startMs = Date.now();
    const clock = { nowMs: () => startMs + upMs };
    const folder = join(temporaryFolder(), "usage");
    const store = () => openJournalStore({ folder, clock, upMs: () => upMs });
    const deps = { openUsageStore: async () => store() };
    const open = counting({ c: { ...ofTalk, limit: 1 } }, { deps });
    const pass = (ms: number): void => {
      upMs += ms;
      open.time.skewMs += ms;
    };
    await open.call("bank__pay");
    pass(25 * 60_000);
    await open.call("bank__pay");
    pass(25 * 60_000);
    await open.call("bank__pay");
    await open.call("bank__pay", { client: legacyClient({ principal: principal("bob") }) });
    pass(32 * 60_000);
    await open.call("bank__pay");
    const full = "budget_exhausted";
    expect(effects(open)).toEqual(["allow", full, full, "allow", "allow"]);
  });
});

describe("a counter by tool", { timeout: 60_000 }, () => {
  test("counts an action without a tool by its type, whatever URI was asked for", async () => {
    const shop = {
      tools: [],
      resourceTemplates: [{ uriTemplate: "shop://item/{id}", name: "item" }],
    };
    const counters = { reads: { key: ["tool"], limit: 2, actions: ["resource_read"] } };
    const open = counting(counters, { servers: { shop } });
    for (const id of ["1", "1?x=2", "2", "3"]) {
      await open.act({ type: "resource_read", uri: `shop://item/${id}` });
    }
    expect(effects(open)).toEqual(["allow", "allow", "budget_exhausted", "budget_exhausted"]);
  });
});

describe("a counter by arguments", { timeout: 60_000 }, () => {
  const same = { key: ["user", "tool", "args"], limit: 1, window: { sliding: "10m" } };
  const full = "budget_exhausted";

  test("counts the same arguments together, however their JSON is written", async () => {
    const open = counting({ same });
    const sent = [
      '{"a":1,"b":[2]}',
      '{"a":2,"b":[2]}',
      '{ "b": [2.0], "a": 1e0 }',
      '{"a":"1"}',
      "{}",
    ];
    for (const argumentsJson of sent) {
      await open.act({ type: "tool_call", name: "bank__pay", argumentsJson });
    }
    expect(effects(open)).toEqual(["allow", "allow", full, "allow", "allow"]);
  });

  test("keeps a digest of them and no word", async () => {
    const stateDir = temporaryFolder();
    const open = counting({ same }, { stateDir });
    const argumentsJson = '{"card":"4111-1111"}';
    await open.act({ type: "tool_call", name: "bank__pay", argumentsJson });
    const store = openJournalStore({ folder: join(stateDir, "usage"), clock: systemClock });
    const [state] = await store.list("[");
    await store.close();
    expect(state?.key).toContain("sha256:");
    expect(state?.key).not.toContain("4111-1111");
  });

  test("counts what an action without a tool names as one of them", async () => {
    const shop = {
      tools: [],
      resourceTemplates: [{ uriTemplate: "shop://item/{id}", name: "item" }],
    };
    const counters = { same: { ...same, actions: ["resource_read"] } };
    const open = counting(counters, { servers: { shop } });
    for (const id of ["1", "2", "1"]) {
      await open.act({ type: "resource_read", uri: `shop://item/${id}` });
    }
    expect(effects(open)).toEqual(["allow", "allow", full]);
  });
});

describe("a counter of tools that its server does not have", { timeout: 60_000 }, () => {
  const warning = "a counter names no tool of its server";

  test("is warned of once when the list is known, by layer, counter and pattern", async () => {
    const named = (...patterns: readonly string[]) => ({ ...calls, tools: patterns });
    const open = counting({
      good: named("p*", "bank/denied"),
      bad: named("pay", "repay", "bank/x*", "prompt_get:hello"),
    });
    for (let made = 0; made < 2; made += 1) await open.gateway.list(legacyClient(), "tools");
    const warned = open.log.lines.filter(({ message }) => message === warning);
    expect(warned.map(({ data }) => data)).toEqual([
      { layer: "bank", counter: "bad", pattern: "repay" },
      { layer: "bank", counter: "bad", pattern: "bank/x*" },
    ]);
  });

  test("of a layer of the organisation is looked at where its pattern names a server", async () => {
    const counters = { c: { ...calls, tools: ["bank/repay", "repay", "shop/x", "*/x"] } };
    const open = counting(
      {},
      {
        policies: { ...policies, identity: { ...policies.identity, metadata: { counters } } },
      },
    );
    await open.gateway.list(legacyClient(), "tools");
    const warned = open.log.lines.filter(({ message }) => message === warning);
    expect(warned.map(({ data }) => data)).toMatchObject([{ pattern: "bank/repay" }]);
  });
});

describe("a counter of a layer that is only observed", { timeout: 60_000 }, () => {
  const until = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);

  /** With a layer that counts and is observed; `own`: counters of the server's bundle. */
  function observing(counters: object, own: object = {}) {
    const server = { command: "none", cwd: "/", policy: "oci-layout:none:server" };
    const layer = { name: "law", kind: "compliance", policy: "oci-layout:none:law" };
    const { config } = load({
      profile: "trial",
      agent: { id: "bot", scope: "test" },
      user: { id: "alice" },
      servers: { bank: server },
      layers: [{ ...layer, mode: "observe", until }],
    });
    const law = { ...silent, metadata: { counters } };
    const bank = { ...policies.server("bank"), metadata: { counters: own } };
    return openGateway({
      servers: { bank: { tools } },
      policies: { server: () => bank, identity: law },
      deps: { config },
    });
  }

  test("counts up to its limit, and refuses in the record alone", async () => {
    const open = observing({ calls: { ...calls, limit: 1 } });
    for (let made = 0; made < 3; made += 1) await open.call("bank__pay");
    expect(open.servers["bank"]?.sent).toHaveLength(3);
    const refused = { allow: true, enforced: false, effect: "deny", reasons: ["budget_exhausted"] };
    expect(open.admissions.map(({ answer }) => answer)).toMatchObject([
      { allow: true, enforced: true, effect: "allow", reasons: [] },
      refused,
      refused,
    ]);
    const { usage } = JSON.parse(open.admissions[2]?.inputJson ?? "{}");
    expect(usage).toMatchObject({ law: { calls: { used: 1, limit: 1 } } });
    expect(open.admissions[2]?.answer.metadata.rate_limit_remaining).toBe(null);
  });

  test("lets a call through whose cost it cannot read, and records that", async () => {
    const open = observing({ money: { ...calls, cost: { argument: "/amount" } } });
    await open.call("bank__pay");
    expect(open.servers["bank"]?.sent).toHaveLength(1);
    expect(open.admissions[0]?.answer).toMatchObject({ allow: true, enforced: false });
    expect(effects(open)).toEqual(["invalid_cost"]);
  });

  test("takes nothing from the counters that are enforced, and nothing for what they refuse", async () => {
    const open = observing({ calls: { ...calls, limit: 9 } }, { own: { ...calls, limit: 1 } });
    for (const name of ["pay", "pay", "denied"]) await open.call(`bank__${name}`);
    expect(effects(open)).toEqual(["allow", "budget_exhausted", "named_denied"]);
    expect(open.admissions[1]?.answer.allow).toBe(false);
    await open.call("bank__pay");
    const { usage } = JSON.parse(open.admissions[2]?.inputJson ?? "{}");
    expect(usage).toMatchObject({ bank: { own: { used: 1 } } });
  });
});

describe("a counter by arguments", { timeout: 60_000 }, () => {
  const counters = { same: { key: ["tool", "args"], limit: 2, window: { fixed: "1h" } } };
  const subject = (pin: string) => ({
    type: "tool_call" as const,
    name: "bank__pay",
    argumentsJson: JSON.stringify({ pin }),
  });

  /** A gateway with a state folder of its own and this key, on one store. */
  function replica(folder: string, state_key: string): OpenGateway {
    const store = () => openJournalStore({ folder, clock: systemClock });
    return counting(counters, {
      settings: { state_key },
      deps: { openUsageStore: async () => store() },
    });
  }

  test("has nothing in its store that arguments can be guessed from", async () => {
    const folder = join(temporaryFolder(), "usage");
    const open = replica(folder, "one key of thirty-two characters, or more");
    await open.act(subject("1234"));
    await open.gateway.close();
    const kept = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
      .join("\n");
    expect(kept).toContain("hmac-sha256:");
    const guessed = sha256Of(canonicalJson({ pin: "1234" })).slice("sha256:".length);
    expect(kept).not.toContain(guessed);
    expect(kept).not.toContain('"1234"');
  });

  test("is one count for replicas of one key, whatever others send", async () => {
    const folder = join(temporaryFolder(), "usage");
    const key = "one key of thirty-two characters, or more";
    const [one, other] = [replica(folder, key), replica(folder, key)];
    for (const open of [one, other, one]) await open.act(subject("1234"));
    await other.act(subject("4321"));
    expect([effects(one), effects(other)]).toEqual([
      ["allow", "budget_exhausted"],
      ["allow", "allow"],
    ]);
  });
});
