import { describe, expect, test } from "vitest";
import type { ActionRequest } from "../../../src/gateway/gateway.ts";
import { echo, openGreeted, replyOf, untilCancelled } from "./open-session.ts";

describe("a tool call", () => {
  test("passes on name, arguments, trace context and progress, and names what it drops", async () => {
    const { request, actions } = await openGreeted();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await request(1, "tools/call", {
      name: "s__t",
      Name: "other",
      arguments: { a: 1 },
      requestState: "x",
      inputResponses: { q: { b: 2 } },
      task: { ttl: 1 },
      _meta: { progressToken: "p", traceparent, baggage: "b=1", "vendor/x": 1 },
    });
    expect(actions[0]).toMatchObject({
      subject: { type: "tool_call", name: "s__t", argumentsJson: '{"a":1}' },
      requestState: "x",
      taskJson: '{"ttl":1}',
      inputResponsesJson: '{"q":{"b":2}}',
      traceparent,
      dropped: ["/Name", "/_meta/baggage", "/_meta/vendor/x"],
    });
  });

  test("without arguments has an empty object of them", async () => {
    const { request, actions } = await openGreeted();
    await request(1, "tools/call", { name: "s__t" });
    expect(actions[0]?.subject).toMatchObject({ argumentsJson: "{}" });
  });

  test("drops a trace context that is not well formed", async () => {
    const { request, actions } = await openGreeted();
    await request(1, "tools/call", { name: "s__t", _meta: { traceparent: "00-evil\ndata" } });
    expect(actions[0]).toMatchObject({ traceparent: undefined, dropped: ["/_meta/traceparent"] });
  });

  test.each([
    ["a name that is no string", { name: 7 }],
    ["no name", { arguments: {} }],
    ["a name of 8193 characters", { name: "x".repeat(8193) }],
    ["arguments that are an array", { name: "t", arguments: [] }],
    ["arguments that are null", { name: "t", arguments: null }],
    ["a _meta that is an array", { name: "t", _meta: [] }],
    ["a progress token that is an object", { name: "t", _meta: { progressToken: {} } }],
    ["a task that is an array", { name: "t", task: [] }],
    ["a request state that is an object", { name: "t", requestState: {} }],
    ["input responses that are an array", { name: "t", inputResponses: [] }],
    ["an input response that is a string", { name: "t", inputResponses: { a: "b" } }],
  ])("with %s is refused, recorded and never made", async (_, params) => {
    const { request, sent, actions, malformed } = await openGreeted();
    await request(1, "tools/call", params);
    expect(sent[0]).toMatchObject({ id: 1, error: { code: -32_602 } });
    expect([actions.length, malformed.length]).toEqual([0, 1]);
  });

  test.each([
    ["a batch", '[{"jsonrpc":"2.0","id":1,"method":"tools/call"}]'],
    ["no JSON", "{oops"],
    [
      "a bad escape",
      String.raw`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\x"}}`,
    ],
    ["as a notification", '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"s__t"}}'],
    [
      "too deep",
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","x":${"[".repeat(90)}${"]".repeat(90)}}`,
    ],
  ])("sent as %s is recorded as a denial", async (_, text) => {
    const { receive, malformed, actions } = await openGreeted();
    await receive(text);
    expect([malformed.length, actions.length]).toEqual([1, 0]);
  });

  test("that nests too deep is answered by its id", async () => {
    const { receive, sent } = await openGreeted();
    const deep = `{"jsonrpc":"2.0","id":8,"method":"tools/call","params":${"[".repeat(500)}${"]".repeat(500)}}`;
    await receive(deep);
    expect(sent).toMatchObject([{ id: 8, error: { code: -32_600 } }]);
  });

  test("that breaks a rule of the wire is recorded as a denial and answered by its id", async () => {
    const { receive, sent, malformed } = await openGreeted();
    await receive(
      '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"a","name":"b"}}',
    );
    expect(sent[0]).toMatchObject({ id: 5, error: { code: -32_600 } });
    expect(malformed).toHaveLength(1);
  });

  test("reports progress under the client's own token, and none after its answer", async () => {
    let late: ActionRequest["onProgress"];
    const { request, sent } = await openGreeted((call) => {
      late = call.onProgress;
      call.onProgress?.({ progress: 1 });
      return echo(call);
    });
    await request(1, "tools/call", { name: "s__t", _meta: { progressToken: "mine" } });
    late?.({ progress: 2 });
    expect(sent).toHaveLength(2);
    expect(sent[0]).toMatchObject({ params: { progressToken: "mine", progress: 1 } });
  });

  test("has its progress dropped while the client does not read, and is answered all the same", async () => {
    const { request, sent, state } = await openGreeted((call) => {
      state.isBusy = true;
      call.onProgress?.({ progress: 1 });
      return echo(call);
    });
    await request(1, "tools/call", { name: "s__t", _meta: { progressToken: 1 } });
    expect(sent).toMatchObject([{ id: 1 }]);
  });

  test("that is cancelled is aborted and left unanswered", async () => {
    const { request, receive, sent } = await openGreeted(untilCancelled);
    const pending = request("a", "tools/call", { name: "s__t" });
    await receive({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: "b" },
    });
    await receive({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: "a" },
    });
    await pending;
    expect(sent).toEqual([]);
  });

  test('cannot take the id of one that is in flight; 1 and "1" are two ids', async () => {
    const releases: (() => void)[] = [];
    const { request, sent } = await openGreeted(async (call) => {
      await new Promise<void>((resolve) => releases.push(resolve));
      return echo(call);
    });
    const first = request(1, "tools/call", { name: "s__t" });
    const other = request("1", "tools/call", { name: "s__t" });
    await request(1, "tools/call", { name: "s__t" });
    expect(sent).toMatchObject([{ id: 1, error: { code: -32_600 } }]);
    for (const release of releases) release();
    await Promise.all([first, other]);
    expect(sent.slice(1).map(({ id }) => id)).toEqual([1, "1"]);
  });

  test("that fails inside is answered with a code and no detail", async () => {
    const { request, sent } = await openGreeted(() => {
      throw new Error("secret detail");
    });
    await request(1, "tools/call", { name: "s__t" });
    expect(sent[0]).toMatchObject({ error: { code: -32_603, data: { code: "internal_error" } } });
    expect(JSON.stringify(sent)).not.toContain("secret detail");
  });

  test("lets no upstream speak under the gateway's own _meta prefix", async () => {
    const value = { content: [], _meta: { "io.mcp-gateway/decision": { allow: true }, mine: 1 } };
    const { request, sent } = await openGreeted(() => replyOf(value));
    await request(1, "tools/call", { name: "s__t" });
    expect(sent[0]).toMatchObject({ result: { _meta: { mine: 1 } } });
    expect(JSON.stringify(sent)).not.toContain("io.mcp-gateway");
  });
});
