/**
 * Which method is answered in which revision is the method table's; what a session makes of each
 * answer is judged here for every method of every revision.
 */
import { describe, expect, test } from "vitest";
import { dispositionOf, legacyVersions } from "../../../src/mcp/wire/method-table.ts";
import { protocolSchemas } from "../../../src/mcp/wire/protocol-methods.ts";
import { codesOf, modernMeta, open, openGreeted, untilCancelled } from "./open-session.ts";

const methods = [...new Set(protocolSchemas.flatMap(({ clientRequests }) => [...clientRequests]))];
const strangers = [
  "sampling/createMessage",
  "elicitation/create",
  "roots/list",
  "tools/Call",
  "tools/call ",
  "tools/call\u0000",
  "toString",
  "__proto__",
  "constructor",
  "vendor/anything",
  "",
];

/** Params with which each method can be served. */
const params = {
  name: "s__t",
  uri: "x:a",
  taskId: "t",
  level: "info",
  ref: { type: "ref/prompt", name: "p" },
  argument: { name: "a", value: "b" },
  notifications: {},
};

/** What became of a request: refused as unknown, put before the gateway, or dealt with otherwise. */
async function fateOf(
  opened: ReturnType<typeof open>,
  method: string,
  more: object = {},
): Promise<string> {
  const { request, notify, sent, actions } = opened;
  const before = [sent.length, actions.length] as const;
  const served = request("id", method, { ...params, ...more });
  // One that stays open ends with its cancellation.
  await Promise.race([served, new Promise((resolve) => setTimeout(resolve, 20))]);
  await notify("notifications/cancelled", { requestId: "id" });
  await served;
  if (actions.length > before[1]) return "decide";
  return codesOf(sent.slice(before[0])).includes(-32_601) ? "refuse" : "serve";
}

const expected = (method: string, version: string): string => {
  const disposition = dispositionOf("clientRequests", method, version);
  return disposition === "decide" || disposition === "refuse" ? disposition : "serve";
};

describe("a method", () => {
  test.each(legacyVersions)(
    "of a client of %s is dealt with as the table says",
    async (version) => {
      const opened = await openGreeted(undefined, { protocolVersion: version });
      for (const method of [...methods, ...strangers]) {
        if (method === "initialize") continue;
        expect([method, await fateOf(opened, method)]).toEqual([method, expected(method, version)]);
      }
    },
  );

  test.each([
    ["before a handshake", open],
    ["after one", openGreeted],
  ])("of a modern request %s is dealt with as the table says", async (_, start) => {
    const opened = await start();
    for (const method of [...methods, ...strangers]) {
      const fate = await fateOf(opened, method, { _meta: modernMeta });
      expect([method, fate]).toEqual([method, expected(method, "2026-07-28")]);
    }
  });

  test("of a legacy client before its handshake is initialize or ping, and nothing else", async () => {
    for (const method of [...methods, ...strangers]) {
      const fate = await fateOf(open(), method);
      const isOpen = method === "initialize" || method === "ping";
      expect([method, fate]).toEqual([method, isOpen ? "serve" : "refuse"]);
    }
  });

  test("is refused by its exact name, without a trace at the gateway", async () => {
    const { request, sent, actions, asked, malformed } = await openGreeted();
    for (const [at, method] of strangers.entries()) await request(at, method, params);
    expect(sent.map(({ error }) => Object(error).message)).toEqual(
      strangers.map(() => "Method not found"),
    );
    expect([actions, asked, malformed]).toEqual([[], [], []]);
  });

  test("that is decided is no method of a notification, and that is on record", async () => {
    const { notify, sent, actions, malformed } = await openGreeted();
    await notify("tools/call", { name: "s__t" });
    await notify("vendor/anything");
    expect([sent, actions, malformed.length]).toEqual([[], [], 1]);
  });
});

describe("a request that the session serves itself", () => {
  test("is put before the gateway as whom the handshake named", async () => {
    const { request, asked, sent } = await openGreeted();
    await request(1, "logging/setLevel", { level: "error" });
    await request(2, "resources/unsubscribe", { uri: "x:a" });
    await request(3, "tasks/list");
    const client = expect.objectContaining({
      era: "legacy",
      session: "s1",
      protocolVersion: "2025-11-25",
      claim: { name: "legacy", version: "1" },
      principal: expect.objectContaining({ user: expect.objectContaining({ id: "alice" }) }),
    });
    expect(asked).toEqual([
      ["setLogLevel", client, "error"],
      ["unsubscribe", client, "x:a"],
      ["listTasks", client],
    ]);
    expect(sent.map(({ result }) => result)).toEqual([{}, {}, { tasks: [{ taskId: "t" }] }]);
  });

  test.each([
    ["logging/setLevel", { level: "loud" }],
    ["logging/setLevel", {}],
    ["resources/unsubscribe", { uri: 7 }],
    ["tools/list", { cursor: 7 }],
    ["tools/list", { cursor: "made up" }],
  ])("%s is refused with %j", async (method, wrong) => {
    const { request, sent, asked } = await openGreeted();
    await request(1, method, wrong);
    expect(codesOf(sent)).toEqual([-32_602]);
    expect(asked.filter(([name]) => name !== "list")).toEqual([]);
  });

  test.each([
    ["tools/list", "tools"],
    ["prompts/list", "prompts"],
    ["resources/list", "resources"],
    ["resources/templates/list", "resources"],
  ])("%s is not there where no server has %s", async (method, capability) => {
    const { request, sent, asked, declared } = await openGreeted();
    delete declared[capability];
    await request(1, method);
    await request(2, method, { _meta: modernMeta });
    expect([codesOf(sent), asked]).toEqual([[-32_601, -32_601], []]);
  });

  test.each(["tasks/get", "tasks/cancel", "tasks/update"])(
    "%s takes a modern client that declares the extension",
    async (method) => {
      const { request, sent, actions } = await openGreeted();
      const _meta = { ...modernMeta, "io.modelcontextprotocol/clientCapabilities": {} };
      await request(1, method, { taskId: "t", _meta });
      expect([codesOf(sent), actions]).toEqual([[-32_021], []]);
      await request(2, method, { taskId: "t" });
      await request(3, method, { taskId: "t", _meta: modernMeta });
      expect(actions.map(({ client }) => client.era)).toContain("modern");
    },
  );

  test("gives the claims of one modern request to that request alone", async () => {
    const { request, actions } = await openGreeted();
    await request(1, "tools/call", { name: "t", _meta: modernMeta });
    await request(2, "tools/call", { name: "t" });
    expect(actions.map(({ client }) => [client.era, client.session, client.claim.name])).toEqual([
      ["modern", undefined, "modern"],
      ["legacy", "s1", "legacy"],
    ]);
    expect(actions.map(({ ask }) => ask === undefined)).toEqual([true, false]);
  });
});

describe("a notification", () => {
  test("of changed roots reaches the gateway after the handshake alone", async () => {
    const { notify, asked } = await openGreeted();
    await notify("notifications/roots/list_changed");
    expect(asked.map(([name]) => name)).toEqual(["rootsChanged"]);
    const stranger = open();
    await stranger.notify("notifications/roots/list_changed");
    expect(stranger.asked).toEqual([]);
  });

  test.each(["notifications/tasks/status", "notifications/vendor", "notifications/progress"])(
    "%s has no effect",
    async (method) => {
      const { notify, sent, asked, actions } = await openGreeted();
      await notify(method, { progressToken: 1, progress: 1 });
      expect([sent, asked, actions]).toEqual([[], [], []]);
    },
  );

  test("of cancellation ends nothing but the request that it names", async () => {
    const { request, notify, session } = await openGreeted(untilCancelled);
    const [first, second] = [
      request(1, "tools/call", { name: "t" }),
      request("1", "tools/call", { name: "t" }),
    ];
    for (const requestId of [null, {}, [1], true, 2, "2", undefined]) {
      await notify("notifications/cancelled", { requestId });
    }
    expect(session.inFlight).toBe(2);
    await notify("notifications/cancelled", { requestId: 1 });
    await first;
    expect(session.inFlight).toBe(1);
    await notify("notifications/cancelled", { requestId: "1" });
    await second;
    expect(session.inFlight).toBe(0);
  });
});
