/**
 * Shadows in a whole gateway, with really compiled policies: what they would have decided is noted,
 * and nothing that they do is felt by a call.
 */
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import type { TestPolicies } from "../test-policies.ts";
import {
  compileShadows,
  digestOf,
  isShadow,
  openShadowed,
  ready,
  shadows,
} from "./open-shadowed.ts";

let policies: TestPolicies;

beforeAll(async () => {
  policies = await compileShadows();
}, 120_000);

test("what it would deny is noted for the decision, and the call goes on", async () => {
  const opened = openShadowed("strict");
  await ready(opened);
  const reply = await opened.calling("look", { secret: "4711-secret" });
  expect(reply).not.toMatchObject({ isError: true });
  await opened.settled(1);
  const [difference] = opened.differences();
  expect(difference).toMatchObject({
    kind: "shadow",
    forDecisionId: opened.admissions.at(-1)?.decisionId,
    layer: "crm",
    layerKind: "server",
    server: "crm",
    tool: "look",
    agent: "bot",
    user: "alice",
    revision: "strict",
    digest: digestOf("strict"),
    difference: "newly_denied",
    code: null,
    was: { effect: "allow", reasons: [] },
    would: { effect: "deny", reasons: ["too_late"] },
  });
  expect(JSON.stringify(difference)).not.toContain("4711-secret");
  expect(opened.standing()).toMatchObject({
    name: "crm~shadow",
    beside: "crm",
    evaluated: 1,
    different: 1,
    differences: { newly_denied: 1 },
  });
});

test("what it would allow stays denied, and is noted", async () => {
  const opened = openShadowed("lax");
  await ready(opened);
  expect(await opened.calling("write_denied")).toMatchObject({ isError: true });
  await opened.settled(1);
  expect(opened.differences()).toMatchObject([
    { difference: "newly_allowed", was: { reasons: ["named_denied"] }, would: { reasons: [] } },
  ]);
  expect(opened.servers["crm"]?.sent).toEqual([]);
});

test("a call that is held, and would not be, is noted with what it waits for", async () => {
  const opened = openShadowed("lax");
  await ready(opened);
  await opened.calling("ask_approved");
  await opened.settled(1);
  expect(opened.differences()[0]).toMatchObject({
    difference: "no_longer_held",
    was: { effect: "hold", reasons: ["approval_required"] },
  });
});

test("where both say the same nothing is noted, and it is counted", async () => {
  const opened = openShadowed("strict");
  await ready(opened);
  await opened.calling("idle");
  await opened.calling("look");
  await opened.settled(2);
  expect(opened.differences()).toHaveLength(1);
  expect(opened.standing()).toMatchObject({ evaluated: 2, different: 1 });
});

test("what would be hidden is newly denied", async () => {
  const opened = openShadowed("hiding", { identity: true });
  await ready(opened);
  expect(await opened.calling("look")).not.toMatchObject({ isError: true });
  await opened.settled(1);
  expect(opened.differences()).toMatchObject([
    {
      layer: "identity",
      difference: "newly_denied",
      would: { effect: "deny", reasons: ["tool_hidden"] },
    },
  ]);
});

test("the shadow of a server is not asked about another", async () => {
  const opened = openShadowed("strict");
  await ready(opened);
  const call = { type: "tool_call", name: "mail__look", argumentsJson: "{}" } as const;
  await opened.act(call);
  await opened.calling("look");
  await opened.settled(1);
  await eventually(() => opened.differences().length > 0);
  expect(opened.differences()).toMatchObject([{ server: "crm" }]);
  expect(opened.standing()).toMatchObject({ evaluated: 1 });
});

test("what nobody was asked about is not put before it", async () => {
  const opened = openShadowed("lax");
  await ready(opened);
  await opened.calling("nothing_of_the_kind");
  await opened.calling("hidden_tool");
  await opened.calling("look");
  await opened.settled(1);
  expect(opened.admissions).toHaveLength(3);
  expect(opened.standing()).toMatchObject({ evaluated: 1, dropped: 0 });
});

test("one that never ends is an error after the deadline, and calls do not wait for it", async () => {
  const opened = openShadowed("endless", { deadlineMs: 5000 });
  await ready(opened);
  const replies = await Promise.all([1, 2, 3].map(async () => opened.calling("look")));
  expect(replies).not.toContainEqual(expect.objectContaining({ isError: true }));
  expect(opened.differences()).toEqual([]);
  await opened.settled(1);
  expect(opened.differences()[0]).toMatchObject({ difference: "error", code: "policy_timeout" });
  // It rests, so that it does not have a processor to itself.
  await delay(5000);
  expect(opened.standing()).toMatchObject({ evaluated: 1, errors: 1 });
});

test("one that throws is an error with its code", async () => {
  const opened = openShadowed("broken");
  await ready(opened);
  expect(await opened.calling("look")).not.toMatchObject({ isError: true });
  await opened.settled(1);
  expect(opened.differences()[0]).toMatchObject({ difference: "error", code: "policy_error" });
});

test("another bundle is asked from the moment it is there, and counts anew", async () => {
  const opened = openShadowed("strict");
  await ready(opened);
  await opened.calling("look");
  await opened.settled(1);
  await opened.hands.get("crm~shadow")?.activate(shadows["lax"]);
  expect(opened.standing()).toMatchObject({ revision: "lax", evaluated: 0, different: 0 });
  await opened.calling("look");
  await opened.settled(1);
  expect(opened.standing()).toMatchObject({ evaluated: 1, different: 0 });
});

test("where it is not there, or was taken away, nothing is compared and the gateway is ready", async () => {
  const opened = openShadowed(undefined);
  await opened.gateway.ready;
  expect(opened.gateway.policyStanding()).toBe("ready");
  expect(await opened.calling("look")).not.toMatchObject({ isError: true });
  expect(opened.standing()).toMatchObject({ digest: null, evaluated: 0, dropped: 0 });
});

test("it is asked beside the policies of the moment", async () => {
  const opened = openShadowed("strict");
  await ready(opened);
  await opened.calling("look");
  await opened.settled(1);
  const lax = shadows["lax"];
  await opened.hands.get("crm")?.activate(lax && { ...lax, kind: "server" });
  await opened.calling("look");
  await eventually(() => opened.differences().length === 2);
  expect(opened.differences()[1]).toMatchObject({ difference: "newly_denied" });
});

test("what could not be recorded is not put before it", async () => {
  const opened = openShadowed("strict");
  await ready(opened);
  opened.disk.admit = async () => {
    throw new Error("disk full");
  };
  await opened.calling("look");
  opened.disk.admit = async () => {};
  await opened.calling("look");
  await opened.settled(1);
  expect(opened.differences().map(({ forDecisionId }) => forDecisionId)).toEqual(
    opened.admissions.map(({ decisionId }) => decisionId),
  );
});

test("what a budget refused is not put before it", async () => {
  const opened = openShadowed("lax");
  await ready(opened);
  const metadata = { counters: { calls: { key: ["user"], limit: 1, cost: "calls" } } };
  await opened.hands.get("crm")?.activate({ ...policies.server("crm"), metadata });
  expect(await opened.calling("idle")).not.toMatchObject({ isError: true });
  expect(await opened.calling("idle")).toMatchObject({ isError: true });
  expect(opened.admissions.at(-1)?.answer.reasons).toEqual(["budget_exhausted"]);
  await opened.calling("write_denied");
  await eventually(() => opened.differences().some(({ tool }) => tool === "write_denied"));
  expect(opened.differences()).toHaveLength(1);
  expect(opened.standing()).toMatchObject({ evaluated: 2, different: 1 });
});

test("a note that cannot be written stops nothing", async () => {
  const opened = openShadowed("strict");
  await ready(opened);
  const push = opened.notes.push.bind(opened.notes);
  opened.notes.push = (...added) => {
    if (added.some(isShadow)) throw new Error("disk full");
    return push(...added);
  };
  expect(await opened.calling("look")).not.toMatchObject({ isError: true });
  await opened.settled(1);
  expect(await opened.calling("look")).not.toMatchObject({ isError: true });
  await opened.settled(2);
  expect(opened.standing()).toMatchObject({ evaluated: 2 });
});
