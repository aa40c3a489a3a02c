/**
 * Counters on the path of a call: what is reserved, given back and settled, and what policy, client
 * and record see of it.
 */
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import type { Bundle } from "../../../src/contract/bundle.ts";
import { openJournalStore } from "../../../src/policy/usage/journal-store.ts";
import { compileBundle } from "../../policy/engine/policies.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import type { FakeServerSettings } from "../fake-server.ts";
import { text } from "../fake-server.ts";
import type { OpenGateway } from "../open-gateway.ts";
import { openGateway, principal, readReply, legacyClient } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
let seeing: Bundle;

beforeAll(async () => {
  policies = await compileTestPolicies();
  seeing = await compileBundle({
    name: "std",
    kind: "server",
    rego: `
allow contains "any" if input.action.server

deny contains "nearly_used_up" if input.usage.calls.remaining < 3
`,
  });
}, 60_000);

const object = { type: "object" };
const names = ["pay", "denied", "hidden", "approved", "look"];
const tools = names.map((name) => ({ name, inputSchema: object }));
const bank: FakeServerSettings = { tools };

function counting(counters: object, more: Partial<Parameters<typeof openGateway>[0]> = {}) {
  const server = (name: string): Bundle => ({
    ...policies.server(name),
    metadata: { counters },
  });
  return openGateway({ servers: { bank }, policies: { ...policies, server }, ...more });
}

function callWith(open: OpenGateway, name: string, args: object) {
  const argumentsJson = JSON.stringify(args);
  return open.act({ type: "tool_call", name: `bank__${name}`, argumentsJson });
}

function effects({ admissions }: OpenGateway): readonly string[] {
  return admissions.map(({ answer }) => answer.reasons[0] ?? answer.effect);
}

const calls = { key: ["user"], limit: 3 };

describe("a counter of calls", { timeout: 60_000 }, () => {
  test("admits exactly its limit of 200 racing calls, and no other reaches the server", async () => {
    const open = counting({ calls: { ...calls, limit: 17 } });
    await Promise.all(Array.from({ length: 200 }, () => open.call("bank__pay")));
    expect(open.admissions.filter(({ answer }) => answer.allow)).toHaveLength(17);
    expect(open.servers["bank"]?.sent).toHaveLength(17);
    const others = open.admissions.filter(({ answer }) => !answer.allow);
    expect(others.every(({ answer }) => answer.reasons[0] === "budget_exhausted")).toBe(true);
  });

  test("says in answer and record what is left, and in a denial when to try again", async () => {
    const window = { fixed: "1d" };
    const startMs = Date.now();
    const folder = join(temporaryFolder(), "usage");
    const clock = { nowMs: () => startMs };
    const deps = {
      openUsageStore: async () => openJournalStore({ folder, clock, upMs: () => 1000 }),
    };
    const open = counting({ calls: { ...calls, window, limit: 1 } }, { deps });
    await open.call("bank__pay");
    const reply = readReply(await open.call("bank__pay"));
    const nextDay = Math.floor(startMs / 86_400_000) + 1;
    const midnight = new Date(nextDay * 86_400_000).toISOString();
    expect(open.admissions.map(({ answer }) => answer.metadata)).toMatchObject([
      { rate_limit_remaining: 0, rate_limit_resets_at: midnight },
      { rate_limit_remaining: 0, rate_limit_resets_at: midnight },
    ]);
    const said = JSON.stringify(reply["content"]);
    expect(said).toContain("budget_exhausted");
    expect(said).toContain(`bank/calls has 0 of 1 left and this call needs 1; try again after`);
    expect(said).toContain(midnight);
    expect(reply).toMatchObject({
      isError: true,
      _meta: { "io.mcp-gateway/decision": { metadata: { rate_limit_resets_at: midnight } } },
    });
    const [first] = open.admissions;
    expect(JSON.parse(first?.inputJson ?? "{}")["usage"]).toEqual({
      bank: { calls: { used: 0, limit: 1, remaining: 1, resets_at: midnight } },
    });
  });

  test("gives back what policy denies or hides", async () => {
    const open = counting({ calls: { ...calls, limit: 1 } });
    for (const name of ["denied", "hidden", "pay", "pay"]) await open.call(`bank__${name}`);
    expect(effects(open).slice(-2)).toEqual(["allow", "budget_exhausted"]);
  });

  test("holds nothing for a call that waits for a person", async () => {
    const open = counting({ calls: { ...calls, limit: 1 } });
    const patience = new AbortController();
    const held = open.call("bank__approved", { signal: patience.signal });
    await eventually(() => open.admissions.length === 1);
    await open.call("bank__pay");
    await open.call("bank__pay");
    expect(effects(open)).toEqual(["approval_required", "allow", "budget_exhausted"]);
    patience.abort();
    await held;
  });

  test("answers a hidden tool as one that does not exist, used up or not", async () => {
    const open = counting({ calls: { ...calls, limit: 1 } });
    await open.call("bank__pay");
    const hidden = JSON.stringify(readReply(await open.call("bank__hidden")));
    const unknown = JSON.stringify(readReply(await open.call("bank__hiddem")));
    expect(hidden.replace("hidden", "hiddem")).toBe(unknown);
  });

  test("gives back what was not recorded, and what was not sent", async () => {
    const open = counting({ calls: { ...calls, limit: 1 } });
    const { disk } = open;
    disk.admit = () => Promise.reject(new Error("full"));
    await open.call("bank__pay");
    disk.admit = async () => {};
    const gone = new AbortController();
    gone.abort();
    await open.call("bank__pay", { signal: gone.signal });
    await open.call("bank__pay");
    await open.call("bank__pay");
    expect(open.outcomes.map(({ outcome }) => outcome)).toEqual(["not_forwarded", "completed"]);
    expect(effects(open)).toEqual(["allow", "allow", "budget_exhausted"]);
  });

  test("counts each user for itself, and what an earlier process used", async () => {
    const stateDir = temporaryFolder();
    const counters = { calls: { ...calls, limit: 1 } };
    const first = counting(counters, { stateDir });
    await first.call("bank__pay");
    const second = counting(counters, { stateDir });
    await second.call("bank__pay");
    await second.call("bank__pay", { client: legacyClient({ principal: principal("bob") }) });
    expect(effects(second)).toEqual(["budget_exhausted", "allow"]);
  });

  test("is neither freed nor locked by a clock that jumps two hours", async () => {
    const open = counting({ calls: { ...calls, limit: 2, window: { sliding: "1h" } } });
    await open.call("bank__pay");
    open.time.skewMs = 2 * 3_600_000;
    await open.call("bank__pay");
    await open.call("bank__pay");
    open.time.skewMs = -2 * 3_600_000;
    await open.call("bank__pay");
    expect(effects(open)).toEqual(["allow", "allow", "budget_exhausted", "budget_exhausted"]);
  });

  test("counts the tools and actions that it names, and no others", async () => {
    const open = counting({ calls: { ...calls, limit: 1, tools: ["pay"] } });
    for (const name of ["look", "look", "pay", "look", "pay"]) await open.call(`bank__${name}`);
    expect(effects(open)).toEqual(["allow", "allow", "allow", "allow", "budget_exhausted"]);
  });
});

describe("what a call costs", { timeout: 60_000 }, () => {
  test("may be a number of its arguments", async () => {
    const cost = { argument: "/order/amount" };
    const open = counting({ money: { ...calls, limit: 100, cost } });
    const amounts = [60, 50, 40, 0.01];
    for (const amount of amounts) await callWith(open, "pay", { order: { amount } });
    expect(effects(open)).toEqual(["allow", "budget_exhausted", "allow", "budget_exhausted"]);
  });

  test.each([
    ["not there", {}],
    ["below 0", { amount: -5 }],
    ["no number", { amount: "5" }],
    ["inherited", { constructor: 1 }],
  ])("is invalid_cost where the number is %s", async (_, args) => {
    const open = counting({ money: { ...calls, cost: { argument: "/amount" } } });
    const reply = readReply(await callWith(open, "pay", args));
    expect(effects(open)).toEqual(["invalid_cost"]);
    expect(JSON.stringify(reply["content"])).toContain("bank/money counts a number");
    expect(open.servers["bank"]?.sent).toEqual([]);
  });

  test("has a default where the arguments say nothing", async () => {
    const open = counting({ money: { ...calls, cost: { argument: "/amount", default: 2 } } });
    await callWith(open, "pay", {});
    await callWith(open, "pay", {});
    expect(effects(open)).toEqual(["allow", "budget_exhausted"]);
  });

  test("in bytes is what was sent and what came back, once that is known", async () => {
    const words = "x".repeat(500);
    const servers = { bank: { tools, answer: () => text(words) } };
    const open = counting({ bytes: { ...calls, limit: 550, cost: "bytes" } }, { servers });
    await open.call("bank__pay");
    await open.call("bank__pay");
    const [, second] = open.admissions;
    const { usage } = JSON.parse(second?.inputJson ?? "{}");
    const [outcome] = open.outcomes;
    expect(usage.bank.bytes.used).toBe((outcome?.resultBytes ?? 0) + 2);
    await open.call("bank__pay");
    expect(effects(open)[2]).toBe("budget_exhausted");
  });

  test("in tokens is reserved as declared until it is known", async () => {
    let answer: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const slow = async () => {
      await held;
      return text("ok");
    };
    const open = counting(
      { tokens: { ...calls, limit: 150, cost: "tokens", reserve: 100 } },
      { servers: { bank: { tools, answer: slow } } },
    );
    const first = open.call("bank__pay");
    await eventually(() => open.admissions.length === 1);
    await open.call("bank__pay");
    answer();
    await first;
    await open.call("bank__pay");
    expect(effects(open)).toEqual(["allow", "budget_exhausted", "allow"]);
  });

  test("as an attempt counts denials and what is used up too", async () => {
    const open = counting({ tries: { ...calls, limit: 2, cost: "attempts" } });
    for (const name of ["denied", "denied", "pay"]) await open.call(`bank__${name}`);
    expect(effects(open)).toEqual(["named_denied", "named_denied", "budget_exhausted"]);
  });
});

describe("policies and counters", { timeout: 60_000 }, () => {
  test("a policy sees its own counters and may refuse before they are used up", async () => {
    const counters = { calls: { ...calls, limit: 4 } };
    const open = openGateway({
      servers: { bank },
      policies: { ...policies, server: (name) => ({ ...seeing, name, metadata: { counters } }) },
    });
    for (let made = 0; made < 3; made += 1) await open.call("bank__pay");
    expect(effects(open)).toEqual(["allow", "allow", "nearly_used_up"]);
  });

  test("a layer of the organisation counts over all servers, under its own name", async () => {
    const metadata = { counters: { calls: { ...calls, limit: 1 } } };
    const open = openGateway({
      servers: { bank, shop: { tools } },
      policies: {
        server: (name) => ({ ...seeing, name }),
        identity: { ...policies.identity, metadata },
      },
    });
    await open.call("bank__pay");
    await open.call("shop__pay");
    expect(effects(open)).toEqual(["allow", "budget_exhausted"]);
    expect(JSON.parse(open.admissions[1]?.inputJson ?? "{}").usage).toMatchObject({
      identity: { calls: { used: 1 } },
    });
  });

  test("a store that is away denies what is counted, and nothing else", async () => {
    const stateDir = temporaryFolder();
    writeFileSync(join(stateDir, "usage"), "no folder");
    const open = counting({ calls: { ...calls, tools: ["pay"] } }, { stateDir });
    const reply = await open.call("bank__pay");
    expect(JSON.stringify(readReply(reply))).toContain("Not reached: the store of the counters.");
    await open.call("bank__look");
    expect(effects(open)).toEqual(["state_unavailable", "allow"]);
  });

  test("counters that cannot be read let nothing through", async () => {
    const open = counting({ calls: { key: ["user"], limit: -1 } });
    await open.call("bank__pay");
    expect(effects(open)).toEqual(["state_unavailable"]);
  });

  test("a call for which nothing is declared opens no store", async () => {
    const openUsageStore = () => Promise.reject(new Error("opened"));
    const open = openGateway({ servers: { bank }, policies, deps: { openUsageStore } });
    await open.call("bank__pay");
    expect(effects(open)).toEqual(["allow"]);
    expect(JSON.parse(open.admissions[0]?.inputJson ?? "{}").usage).toEqual({});
  });
});
