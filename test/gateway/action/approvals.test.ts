import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import type { ActionReply } from "../../../src/gateway/gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { eventually } from "../../support/eventually.ts";
import { legacyClient, principal, readReply } from "../open-gateway.ts";
import { compileApprovingPolicies, openApproving, person } from "./open-approving.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileApprovingPolicies();
});

const soon = { approvals: { wait: "300ms" } };
const textOf = (reply: ActionReply) => JSON.stringify(readReply(reply));

describe("a held call", () => {
  test("runs once somebody approved it, decided again with the approval in its input", async () => {
    const { call, rule, admissions, notes, sent } = openApproving(policies);
    const calling = call("wipe", { id: "C-17" });
    const approval = await rule("wipe");
    expect(sent()).toEqual([]);
    expect(textOf(await calling)).toContain("done");
    expect(sent()).toHaveLength(1);
    expect(admissions.map(({ answer }) => answer.effect)).toEqual(["hold", "allow"]);
    const [held, ran] = admissions;
    expect(JSON.parse(held?.inputJson ?? "").approval).toBe(null);
    expect(JSON.parse(ran?.inputJson ?? "").approval).toEqual({
      id: approval.id,
      approved_by: ["ann"],
      at: expect.stringMatching(/^\d{4}-/),
      rules: ["p.identity.require_approval"],
    });
    expect(notes).toMatchObject([
      { event: "requested", forDecisionId: held?.decisionId, by: null },
      { event: "approved", forDecisionId: held?.decisionId, by: "ann", channel: "cli" },
      { event: "used", forDecisionId: ran?.decisionId },
    ]);
  });

  test("is answered when its client has waited enough, and picks the approval up later", async () => {
    const { call, rule, sent } = openApproving(policies, { settings: soon });
    const reply = readReply(await call("wipe", { id: "C-17" }));
    const approval = await rule("wipe");
    expect(reply).toMatchObject({
      isError: true,
      _meta: { "io.mcp-gateway/approval": { id: approval.id, status: "pending" } },
    });
    expect(JSON.stringify(reply)).toContain(`Approval ${approval.id} waits for an approver`);
    expect(sent()).toEqual([]);
    expect(textOf(await call("wipe", { id: "C-17" }))).toContain("done");
    expect(textOf(await call("wipe", { id: "C-17" }))).toContain("waits for an approver");
    expect(sent()).toHaveLength(1);
  });

  test("is approved for its arguments, whatever their order, and for no others", async () => {
    const { call, rule, sent, all } = openApproving(policies, { settings: soon });
    await call("wipe", { id: "C-17", all: true });
    await rule("wipe");
    expect(textOf(await call("wipe", { id: "C-17", all: false }))).toContain("approval_required");
    expect(textOf(await call("wipe", { id: "C-18", all: true }))).toContain("approval_required");
    expect(sent()).toEqual([]);
    expect(textOf(await call("wipe", { all: true, id: "C-17" }))).toContain("done");
    expect((await all()).map(({ status }) => status).toSorted()).toEqual([
      "pending",
      "pending",
      "used",
    ]);
  });

  test("is approved for its principal and its tool, and for nobody and nothing else", async () => {
    const { call, rule, sent } = openApproving(policies, { settings: soon });
    await call("wipe");
    await rule("wipe");
    const bob = { client: legacyClient({ principal: principal("bob") }) };
    expect(textOf(await call("wipe", {}, bob))).toContain("approval_required");
    expect(textOf(await call("slow"))).toContain("approval_required");
    expect(sent()).toEqual([]);
  });

  test("is denied where policy denies it when it would run", async () => {
    const { call, rule, admissions, sent, all } = openApproving(policies);
    const calling = call("late");
    await rule("late");
    expect(textOf(await calling)).toContain("not_any_more");
    expect(admissions.map(({ answer }) => answer.effect)).toEqual(["hold", "deny"]);
    expect(sent()).toEqual([]);
    // It was not used: nothing ran on it.
    expect(await all()).toMatchObject([{ status: "approved", uses: 0 }]);
  });

  test("is denied where a person denies it, and the same call asks nobody again", async () => {
    const { call, rule, admissions, notes, sent } = openApproving(policies);
    const calling = call("wipe");
    await rule("wipe", { verdict: "deny", reason: "wrong customer" });
    const reply = textOf(await calling);
    expect(reply).toContain("approval_denied");
    expect(reply).toContain("wrong customer");
    expect(admissions.map(({ answer }) => answer.reasons)).toEqual([
      ["approval_required"],
      ["approval_denied"],
    ]);
    expect(textOf(await call("wipe"))).toContain("approval_denied");
    expect(sent()).toEqual([]);
    expect(notes.map((note) => "event" in note && note.event)).toEqual(["requested", "denied"]);
  });

  test("that its client cancels is withdrawn", async () => {
    const { call, all, notes } = openApproving(policies);
    const cancelling = new AbortController();
    const calling = call("wipe", {}, { signal: cancelling.signal });
    await eventually(async () => (await all()).length === 1);
    cancelling.abort();
    expect(await calling).toEqual({ kind: "cancelled" });
    expect(await all()).toMatchObject([{ status: "withdrawn" }]);
    expect(notes).toMatchObject([{ event: "requested" }, { event: "withdrawn" }]);
  });

  test("that its client cancels stays asked where the same call waits too", async () => {
    const { call, all, rule } = openApproving(policies);
    const cancelling = new AbortController();
    const first = call("wipe", {}, { signal: cancelling.signal });
    await eventually(async () => (await all()).length === 1);
    let isWaiting = false;
    const second = call("wipe", {}, { onProgress: () => void (isWaiting = true) });
    await eventually(() => isWaiting);
    cancelling.abort();
    expect(await first).toEqual({ kind: "cancelled" });
    await rule("wipe");
    expect(textOf(await second)).toContain("done");
    expect(await all()).toHaveLength(1);
  });

  test("is not approved by what has run out", async () => {
    const { call, rule, time, sent, notes } = openApproving(policies, { settings: soon });
    await call("soon");
    await rule("soon");
    time.skewMs = 3_600_100;
    expect(textOf(await call("soon"))).toContain("approval_required");
    expect(sent()).toEqual([]);
    expect(notes.map((note) => "event" in note && note.event)).toEqual([
      "requested",
      "approved",
      "expired",
      "requested",
    ]);
  });

  test("tells its client that it waits, in progress that rises and stays below the server's", async () => {
    const { call, rule } = openApproving(policies);
    const told: { readonly progress: number; readonly message?: string }[] = [];
    const calling = call("wipe", {}, { onProgress: (progress) => void told.push(progress) });
    await eventually(() => told.length > 1);
    await rule("wipe");
    await calling;
    expect(told.length).toBeGreaterThan(1);
    expect(told.map(({ progress }) => progress)).toEqual(
      told.map(({ progress }) => progress).toSorted((a, b) => a - b),
    );
    expect(told.at(-1)?.progress).toBeLessThan(0);
    expect(told[0]?.message).toContain("waiting for a person");
  });

  test("of a method without isError is a JSON-RPC error that says how to follow up", async () => {
    const { act } = openApproving(policies, { settings: soon });
    const reply = await act({ type: "prompt_get", name: "crm__wipe", argumentsJson: "{}" });
    expect(reply).toMatchObject({ kind: "error", code: 40_300 });
    expect(JSON.stringify(reply)).toContain("Make the same call");
  });

  test("is denied where the approvals cannot be used", async () => {
    const { call, sent, all } = openApproving(policies, {
      settings: { approvals: { wait: "1s" }, decisions: { store: "postgres://127.0.0.1:1/none" } },
    });
    expect(textOf(await call("wipe"))).toContain("state_unavailable");
    expect(sent()).toEqual([]);
    await expect(all()).rejects.toMatchObject({ code: "database_unreachable" });
  });
});

describe("people", () => {
  test("do not approve what they asked for themselves, unless the policy says so", async () => {
    const { call, rule, sent } = openApproving(policies);
    const held = call("wipe");
    const alice = { approver: person("alice") };
    await expect(rule("wipe", alice)).rejects.toMatchObject({ code: "approval_self" });
    const sudo = { approver: { name: "root", names: ["root", "alice"], groups: [] } };
    await expect(rule("wipe", sudo)).rejects.toMatchObject({ code: "approval_self" });
    expect(sent()).toEqual([]);
    const mine = call("mine");
    await expect(rule("mine")).rejects.toMatchObject({ code: "approval_not_approver" });
    await rule("mine", alice);
    expect(textOf(await mine)).toContain("done");
    await rule("wipe");
    await held;
  });

  test("are asked for each element on its own", async () => {
    const { call, rule, sent } = openApproving(policies);
    const calling = call("two");
    await expect(rule("two")).rejects.toMatchObject({ code: "approval_not_approver" });
    await rule("two", { approver: person("carol", "a") });
    await delay(500);
    expect(sent()).toEqual([]);
    await rule("two", { approver: person("bob") });
    expect(textOf(await calling)).toContain("done");
  });

  test("are named by the organisation's layers alone, and so are the channels", async () => {
    const { call, rule } = openApproving(policies);
    const able = legacyClient({ capabilities: { elicitation: {} } });
    const asked: string[] = [];
    const calling = call(
      "own",
      {},
      {
        client: able,
        ask: async ({ method }) => {
          asked.push(method);
          return {
            kind: "result",
            resultJson: '{"action":"accept","content":{"decision":"approve"}}',
          };
        },
      },
    );
    await rule("own");
    expect(textOf(await calling)).toContain("done");
    expect(asked).toEqual([]);
  });

  test("decide where the policy accepts it, and nowhere else", async () => {
    const { call, rule } = openApproving(policies, { settings: soon });
    await call("form");
    const refused = rule("form", { channel: "admin" });
    await expect(refused).rejects.toMatchObject({ code: "approval_channel_refused" });
    await call("wipe");
    const client = rule("wipe", { channel: "client", approver: person("alice") });
    await expect(client).rejects.toMatchObject({ code: "approval_channel_refused" });
  });

  test("are not asked more often than the configuration says", async () => {
    const settings = { approvals: { wait: "50ms", max_pending: 2 } };
    const { call, all } = openApproving(policies, { settings });
    await call("wipe", { n: 1 });
    await call("wipe", { n: 2 });
    expect(textOf(await call("wipe", { n: 3 }))).toContain("approval_limit");
    expect(textOf(await call("wipe", { n: 2 }))).toContain("approval_required");
    const bob = { client: legacyClient({ principal: principal("bob") }) };
    expect(textOf(await call("wipe", { n: 3 }, bob))).toContain("approval_required");
    expect(await all()).toHaveLength(3);
  });
});

describe("an approval", () => {
  test("lets one of a hundred racers through, in two gateways on one state folder", async () => {
    const first = openApproving(policies, { settings: soon });
    const second = openApproving(policies, { settings: soon, stateDir: first.stateDir });
    await first.call("wipe", { id: "C-17" });
    await first.rule("wipe");
    const racers = Array.from({ length: 100 }, (_, index) =>
      (index % 2 === 0 ? first : second).call("wipe", { id: "C-17" }),
    );
    const replies = (await Promise.all(racers)).map(textOf);
    expect(replies.filter((reply) => reply.includes("done"))).toHaveLength(1);
    expect(replies.filter((reply) => reply.includes("approval_required"))).toHaveLength(99);
    expect(first.sent().length + second.sent().length).toBe(1);
    // What the others ask for is one question, not ninety-nine.
    expect((await first.all()).map(({ status }) => status)).toEqual(["pending", "used"]);
  }, 120_000);

  test("that is given while the gateway is away is there when it is back", async () => {
    const before = openApproving(policies, { settings: soon });
    await before.call("wipe");
    await before.gateway.close();
    const after = openApproving(policies, { settings: soon, stateDir: before.stateDir });
    await after.rule("wipe");
    expect(textOf(await after.call("wipe"))).toContain("done");
  });

  test("given in one gateway wakes the call that waits in another", async () => {
    const first = openApproving(policies);
    const second = openApproving(policies, { stateDir: first.stateDir });
    const calling = first.call("wipe");
    await second.rule("wipe");
    expect(textOf(await calling)).toContain("done");
    expect(first.sent()).toHaveLength(1);
  });
});
