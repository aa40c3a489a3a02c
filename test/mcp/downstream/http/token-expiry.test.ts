/**
 * What a client only listens on ends with the token that opened it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { eventually } from "../../../support/eventually.ts";
import { heldCalls } from "./held-calls.ts";
import { beginSession, call, modern } from "./messages.ts";
import type { FrontSettings } from "./open-front.ts";
import { openFront, principal } from "./open-front.ts";

const expiresAtMs = 60;
const listen = modern("subscriptions/listen", { notifications: { toolsListChanged: true } });

/** Every token is alice's; the one of this name never ends. */
function openExpiring(settings: FrontSettings = {}) {
  return openFront({
    authenticate: async ({ authorization }) => ({
      ok: true,
      principal: principal("alice"),
      expiresAtMs: authorization === "Bearer static" ? undefined : expiresAtMs,
    }),
    ...settings,
  });
}

test("a modern listener hears until its token ends, and is told that this is all", async () => {
  const front = await openExpiring();
  const stream = await front.stream(listen);
  await eventually(() => stream.messages().length === 1);
  await delay(150);
  front.announce("notifications/tools/list_changed");
  await eventually(() => stream.messages().length === 2);
  front.state.nowMs = expiresAtMs;
  await stream.ended;
  expect(stream.messages().at(-1)).toMatchObject({ id: 1, result: { resultType: "complete" } });
  expect(front.ears.size).toBe(0);
});

test("a modern call that was let in is answered after its token ended", async () => {
  const held = heldCalls();
  const front = await openExpiring({ act: held.act });
  const answer = front.send(modern("tools/call", { name: "echo", arguments: {} }));
  await eventually(() => front.actions.length === 1);
  front.state.nowMs = expiresAtMs;
  await delay(150);
  expect(front.actions[0]?.signal.aborted).toBe(false);
  held.finish("late");
  expect((await answer).json.result?.content?.[0]?.text).toBe("late");
});

test("a legacy client's own stream ends with its token, and the session does not", async () => {
  const front = await openExpiring();
  const headers = await beginSession(front);
  const stream = await front.stream({ method: "GET", headers });
  await eventually(() => stream.events.length === 1);
  front.state.nowMs = expiresAtMs;
  await stream.ended;
  front.announce("notifications/tools/list_changed");
  const again = await front.stream({
    method: "GET",
    headers: { ...headers, Authorization: "Bearer static", "Last-Event-ID": stream.events[0]?.id },
  });
  await eventually(() => again.messages().length === 1);
  expect(again.messages()[0]?.method).toBe("notifications/tools/list_changed");
  again.disconnect();
});

test("a legacy call that was let in is answered after its token ended", async () => {
  const held = heldCalls();
  const front = await openExpiring({ act: held.act, limits: { streamAfterMs: 5 } });
  const headers = await beginSession(front);
  const stream = await front.stream({ headers, body: call(7) });
  front.state.nowMs = expiresAtMs;
  await delay(150);
  held.finish("late");
  await stream.ended;
  expect(stream.messages()[0]?.id).toBe(7);
});

test("a token without an end ends nothing", async () => {
  const front = await openExpiring();
  const headers = { ...listen.headers, Authorization: "Bearer static" };
  const stream = await front.stream({ ...listen, headers });
  front.state.nowMs = expiresAtMs * 1000;
  await delay(150);
  expect([front.ears.size, stream.response.complete]).toEqual([1, false]);
  stream.disconnect();
});
