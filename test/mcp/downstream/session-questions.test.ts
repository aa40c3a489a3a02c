import { describe, expect, test } from "vitest";
import type { ActionRequest, ClientReply } from "../../../src/gateway/gateway.ts";
import { open, openGreeted, replyOf } from "./open-session.ts";

/** A legacy session whose calls ask these questions; what came back is in `replies`. */
async function openAsking(methods: readonly string[], taken?: AbortSignal) {
  const replies: ClientReply[] = [];
  const act = async ({ ask }: ActionRequest) => {
    if (ask === undefined) throw new Error("expected a client that can be asked");
    const asked = methods.map((method) => {
      const signal = taken ?? new AbortController().signal;
      return ask({ method, paramsJson: '{"n":1.50}', signal });
    });
    replies.push(...(await Promise.all(asked)));
    return replyOf({ content: [] });
  };
  const opened = await openGreeted(act);
  return { ...opened, replies };
}

const answer = (id: unknown, result: object = { ok: 1 }) => ({ jsonrpc: "2.0", id, result });

describe("a question to a legacy client", () => {
  test("goes out with the text that was decided, and belongs to the request of the client", async () => {
    const { request, receive, raw, related, replies } = await openAsking(["roots/list"]);
    const pending = request("mine", "tools/call", { name: "t" });
    expect(raw).toEqual(['{"jsonrpc":"2.0","id":1,"method":"roots/list","params":{"n":1.50}}']);
    expect(related).toEqual(["mine"]);
    await receive('{"jsonrpc":"2.0","id":1,"result":{"roots": [],"n":1.50}}');
    await pending;
    expect(replies).toEqual([{ kind: "result", resultJson: '{"roots":[],"n":1.5}' }]);
  });

  test("has an id of its own, whatever ids the client uses", async () => {
    const { request, receive, sent, replies } = await openAsking(["roots/list", "roots/list"]);
    const pending = request(1, "tools/call", { name: "t" });
    expect(sent.map(({ id }) => id)).toEqual([1, 2]);
    await receive(answer(2, { second: 1 }));
    await receive(answer(1, { first: 1 }));
    await pending;
    expect(replies.map((reply) => reply.kind === "result" && reply.resultJson)).toEqual([
      '{"first":1}',
      '{"second":1}',
    ]);
    expect(sent.at(-1)).toMatchObject({ id: 1, result: { content: [] } });
  });

  test("is answered once; answers to nothing are dropped", async () => {
    const { request, receive, replies, sent } = await openAsking(["roots/list"]);
    const pending = request(7, "tools/call", { name: "t" });
    for (const id of ["1", 2, 7, "roots"]) await receive(answer(id, { wrong: 1 }));
    await receive(answer(1, { right: 1 }));
    await receive(answer(1, { late: 1 }));
    await pending;
    expect(replies).toEqual([{ kind: "result", resultJson: '{"right":1}' }]);
    expect(sent).toHaveLength(2);
  });

  test("may be refused by the client", async () => {
    const { request, receive, replies } = await openAsking(["sampling/createMessage"]);
    const pending = request(7, "tools/call", { name: "t" });
    await receive({ jsonrpc: "2.0", id: 1, error: { code: -1, message: "rejected" } });
    await pending;
    expect(replies).toEqual([{ kind: "error", code: -1, message: "rejected" }]);
  });

  test.each([
    ["a result that is a list", { result: [] }],
    ["both a result and an error", { result: {}, error: { code: 1, message: "" } }],
    ["an error without a code", { error: { message: "x" } }],
    ["members of other names", { result: {}, extra: 1 }],
  ])("ends as an error where the client answers with %s", async (_, members) => {
    const { request, receive, replies, sent } = await openAsking(["roots/list"]);
    const pending = request(7, "tools/call", { name: "t" });
    await receive({ jsonrpc: "2.0", id: 1, ...members });
    await pending;
    expect(replies).toMatchObject([{ kind: "error", code: -32_603 }]);
    expect(sent).toContainEqual(expect.objectContaining({ id: null }));
  });

  test("that the server takes back is cancelled at the client, and its answer means nothing", async () => {
    const taken = new AbortController();
    const { request, receive, sent, replies } = await openAsking(["roots/list"], taken.signal);
    const pending = request(7, "tools/call", { name: "t" });
    taken.abort();
    await pending;
    expect(sent[1]).toEqual({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: 1 },
    });
    expect(replies).toMatchObject([{ kind: "error" }]);
    await receive(answer(1));
    expect(replies).toHaveLength(1);
  });

  test("that was taken back before is not asked", async () => {
    const { request, sent } = await openAsking(["roots/list"], AbortSignal.abort());
    await request(7, "tools/call", { name: "t" });
    expect(sent).toHaveLength(1);
  });

  test("ends with the session", async () => {
    const { request, session, replies } = await openAsking(["roots/list"]);
    const pending = request(7, "tools/call", { name: "t" });
    session.close();
    await pending;
    expect(replies).toMatchObject([{ kind: "error", message: "cancelled" }]);
  });

  test("is one of at most 256 that are open", async () => {
    const methods = Array.from({ length: 257 }, () => "roots/list");
    const { request, session, replies, sent } = await openAsking(methods);
    const pending = request(7, "tools/call", { name: "t" });
    expect(sent).toHaveLength(256);
    session.close();
    await pending;
    expect(replies.at(-1)).toMatchObject({ kind: "error", code: -32_603 });
  });

  test("that belongs to no request is asked of the client that listens", async () => {
    const { listeners, raw, related, receive } = await openGreeted();
    const [ear] = listeners.values();
    const { signal } = new AbortController();
    const reply = ear?.ask?.({ method: "roots/list", paramsJson: "{}", signal });
    expect([raw, related]).toEqual([
      ['{"jsonrpc":"2.0","id":1,"method":"roots/list","params":{}}'],
      [undefined],
    ]);
    await receive(answer(1));
    expect(await reply).toEqual({ kind: "result", resultJson: '{"ok":1}' });
  });

  test("is asked of nobody whom no handshake named", () => {
    expect(open().listeners.size).toBe(0);
  });
});
