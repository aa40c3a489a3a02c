/**
 * What a client says of its conversation is handed on unjudged, and counts as dropped until somebody
 * believes it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { modernMeta, open, openGreeted, replyOf } from "./open-session.ts";

const member = "io.mcp-gateway/conversation";
const pointer = `/_meta/${member}`;

test.each([[{ id: "a" }], ["nonsense"], [null]])(
  "a request that says %j hands that on, named as dropped",
  async (said) => {
    const { request, actions } = await openGreeted();
    const params = { name: "s__t", _meta: { [member]: said, [`${member}/id`]: "b" } };
    await request(1, "tools/call", params);
    expect(actions[0]).toMatchObject({
      saidConversation: said,
      dropped: [pointer, `${pointer}/id`],
    });
  },
);

test("a request that says nothing says nothing", async () => {
  const { request, actions } = await openGreeted();
  await request(1, "tools/call", { name: "s__t", _meta: {} });
  expect(actions[0]?.saidConversation).toBeUndefined();
  expect(actions[0]?.dropped).toEqual([]);
});

test("a client that listens to resources says it for each of them", async () => {
  const { request, actions } = open(() => replyOf("{}"));
  const said = { id: "a" };
  const params = {
    notifications: { resourceSubscriptions: ["file:///a", "file:///b"] },
    _meta: { ...modernMeta, [member]: said },
  };
  await Promise.race([request("L", "subscriptions/listen", params), delay(200)]);
  expect(actions).toMatchObject([
    { saidConversation: said, dropped: [pointer] },
    { saidConversation: said, dropped: [pointer] },
  ]);
});
