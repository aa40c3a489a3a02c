/**
 * What is refused before it comes to a decision: on record where some revision decides it, a line in
 * the log where it is nothing that any revision decides. Whatever the gateway throws meanwhile is
 * answered.
 */
import { describe, expect, test } from "vitest";
import { codesOf, modernMeta, open, openGreeted, untilCancelled } from "./open-session.ts";

const protocolVersion = "io.modelcontextprotocol/protocolVersion";
const logLevel = "io.modelcontextprotocol/logLevel";
const capabilities = "io.modelcontextprotocol/clientCapabilities";

describe("a decided request that is refused before it comes to a decision is on record", () => {
  test("where its id is that of a request in flight", async () => {
    const { request, notify, sent, refused } = await openGreeted(untilCancelled);
    const first = request(1, "tools/call", { name: "t" });
    await request(1, "prompts/get", { name: "p" });
    expect([codesOf(sent), refused]).toEqual([[-32_600], ["prompts/get"]]);
    await notify("notifications/cancelled", { requestId: 1 });
    await first;
  });

  test("where the level of its log messages is none", async () => {
    const { request, sent, actions, refused } = await openGreeted();
    await request(1, "resources/read", {
      uri: "x:a",
      _meta: { ...modernMeta, [logLevel]: "loud" },
    });
    expect([codesOf(sent), actions, refused]).toEqual([[-32_602], [], ["resources/read"]]);
  });

  test.each([
    ["a version that nobody speaks", { [protocolVersion]: "2099-01-01" }, -32_022],
    ["no capabilities", { [protocolVersion]: "2026-07-28" }, -32_602],
  ])("where its envelope has %s", async (_, _meta, code) => {
    const { request, sent, refused } = await openGreeted();
    await request(1, "tools/call", { name: "t", _meta });
    expect([codesOf(sent), refused]).toEqual([[code], ["tools/call"]]);
  });

  test.each([
    ["tasks/update", "2025-11-25"],
    ["tasks/get", "2024-11-05"],
  ])("where %s is no method of %s", async (method, version) => {
    const { request, sent, refused, malformed } = await openGreeted(undefined, {
      protocolVersion: version,
    });
    await request(1, method, { taskId: "t" });
    expect([codesOf(sent), refused]).toEqual([[-32_601], [method]]);
    expect(malformed).toMatchObject([{ protocolVersion: version, claim: { name: "legacy" } }]);
  });

  test("where a modern request is of a legacy method, or one comes before the handshake", async () => {
    const { request, sent, refused } = open();
    await request(1, "resources/subscribe", { uri: "x:a", _meta: modernMeta });
    await request(2, "completion/complete");
    expect(codesOf(sent)).toEqual([-32_601, -32_601]);
    expect(refused).toEqual(["resources/subscribe", "completion/complete"]);
  });

  test.each(["tasks/get", "tasks/cancel", "tasks/update"])(
    "where %s comes without the extension",
    async (method) => {
      const { request, sent, refused } = await openGreeted();
      await request(1, method, { taskId: "t", _meta: { ...modernMeta, [capabilities]: {} } });
      expect([codesOf(sent), refused]).toEqual([[-32_021], [method]]);
    },
  );

  test("where its params cannot be read", async () => {
    const { request, refused } = await openGreeted();
    await request(1, "prompts/get", { name: 7 });
    expect(refused).toEqual(["prompts/get"]);
  });
});

describe("what no revision decides", () => {
  test("is refused without a record", async () => {
    const { request, notify, sent, refused } = await openGreeted(untilCancelled);
    const first = request(1, "tools/call", { name: "t" });
    await request(1, "ping");
    await request(2, "vendor/anything");
    await request(3, "ping", { _meta: { [protocolVersion]: "2099-01-01" } });
    await notify("vendor/anything");
    expect([codesOf(sent), refused]).toEqual([[-32_600, -32_601, -32_022], []]);
    await notify("notifications/cancelled", { requestId: 1 });
    await first;
  });
});

describe("what the gateway throws", () => {
  const failing = async () => {
    const opened = await openGreeted(untilCancelled);
    opened.disk.refuse = () => Promise.reject(new Error("secret-9d2e"));
    return opened;
  };

  test.each([
    ["a line that is no JSON", "{oops", null],
    ["a malformed call", '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":[]}', 5],
    ["a call that cannot be read", '{"jsonrpc":"2.0","id":5,"method":"tools/call"}', 5],
    ["an unknown method", '{"jsonrpc":"2.0","id":5,"method":"tasks/update"}', 5],
  ])("over %s is answered as its own fault, without its words", async (_, line, id) => {
    const { receive, sent, raw } = await failing();
    await receive(line);
    expect(sent).toMatchObject([
      { id, error: { code: -32_603, data: { code: "internal_error" } } },
    ]);
    expect(raw.join("")).not.toContain("secret-9d2e");
  });

  test("over an id that is taken leaves the request that has it alone", async () => {
    const { request, notify, session, sent } = await failing();
    const first = request(1, "tools/call", { name: "t" });
    await request(1, "tools/call", { name: "t" });
    expect([codesOf(sent), session.inFlight]).toEqual([[-32_603], 1]);
    await notify("notifications/cancelled", { requestId: 1 });
    await first;
  });

  test("over a notification is answered by nothing, and the session goes on", async () => {
    const { request, notify, sent } = await failing();
    await notify("tools/call", { name: "t" });
    expect(sent).toEqual([]);
    await request(2, "ping");
    expect(sent).toMatchObject([{ id: 2, result: {} }]);
  });
});
