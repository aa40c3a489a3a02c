/**
 * Answers to POSTs of legacy clients: one JSON object or a stream, and what is on it.
 */
import { describe, expect, test } from "vitest";
import { eventually } from "../../../support/eventually.ts";
import { textResult } from "./fake-gateway.ts";
import { openHeld, withProgress } from "./held-calls.ts";
import { beginSession, call } from "./messages.ts";
import { openFront } from "./open-front.ts";

describe("the answer to a POST", () => {
  test("is a stream as soon as something else is said, with ids to resume from", async () => {
    const front = await openFront({
      act: ({ onProgress }) => {
        onProgress?.({ progress: 1 });
        return textResult("done");
      },
    });
    const headers = await beginSession(front);
    const stream = await front.stream({ headers, body: withProgress(3) });
    await stream.ended;
    expect(stream.headers["content-type"]).toBe("text/event-stream");
    expect(stream.events[0]?.data).toBe("");
    expect(stream.retries).toEqual([1000]);
    expect(stream.messages().map(({ method, id }) => method ?? id)).toEqual([
      "notifications/progress",
      3,
    ]);
    const ids = stream.events.map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
  });

  test("is a stream when it takes long, so that the client can come back", async () => {
    const { front, finish } = await openHeld();
    const headers = await beginSession(front);
    const stream = await front.stream({ headers, body: call(1) });
    await eventually(() => stream.events.length === 1);
    expect(stream.events[0]).toMatchObject({ data: "", id: expect.stringMatching(/-0$/) });
    finish("late");
    await stream.ended;
    expect(stream.messages()).toMatchObject([{ id: 1 }]);
  });

  test("has no event without data for a client whose revision does not know them", async () => {
    const { front, finish } = await openHeld();
    const headers = await beginSession(front, { version: "2025-06-18" });
    const stream = await front.stream({ headers, body: call(1) });
    finish("late");
    await stream.ended;
    expect(stream.events).toHaveLength(1);
    expect(stream.retries).toEqual([]);
  });

  test("ends without a message for a request that its client cancelled", async () => {
    const front = await openFront({
      act: async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        return { kind: "cancelled" };
      },
    });
    const headers = await beginSession(front);
    const stream = front.stream({ headers, body: call(1) });
    await eventually(() => front.actions.length === 1);
    const params = { requestId: 1 };
    const body = { jsonrpc: "2.0", method: "notifications/cancelled", params };
    await front.send({ headers, body });
    await (
      await stream
    ).ended;
    expect((await stream).messages()).toEqual([]);
  });

  test("carries a question of the server, whose answer comes as a POST of its own", async () => {
    const front = await openFront({
      act: async ({ ask, signal }) => {
        const paramsJson = '{"message":"sure?"}';
        const reply = await ask?.({ method: "elicitation/create", paramsJson, signal });
        return textResult(reply?.kind === "result" ? reply.resultJson : "no answer");
      },
    });
    const headers = await beginSession(front);
    const stream = await front.stream({ headers, body: call(1) });
    await eventually(() => stream.messages().length === 1);
    const [question] = stream.messages();
    expect(question).toMatchObject({ method: "elicitation/create", params: { message: "sure?" } });
    const stranger = { ...headers, Authorization: "Bearer bob" };
    const answer = { jsonrpc: "2.0", id: question?.id, result: { action: "accept" } };
    expect((await front.send({ headers: stranger, body: answer })).status).toBe(404);
    expect((await front.send({ headers, body: answer })).status).toBe(202);
    await stream.ended;
    expect(stream.messages()[1]?.result?.content?.[0]?.text).toBe('{"action":"accept"}');
  });

  test("to a question that is malformed fails the question, and is refused", async () => {
    const front = await openFront({
      act: async ({ ask, signal }) => {
        const reply = await ask?.({ method: "roots/list", paramsJson: "{}", signal });
        return textResult(reply?.kind ?? "");
      },
    });
    const headers = await beginSession(front);
    const stream = await front.stream({ headers, body: call(1) });
    await eventually(() => stream.messages().length === 1);
    const id = stream.messages()[0]?.id;
    const body = `{"jsonrpc":"2.0","id":${String(id)},"result":{"a":1,"a":2}}`;
    expect((await front.send({ headers, body })).status).toBe(400);
    await stream.ended;
    expect(stream.messages()[1]?.result?.content?.[0]?.text).toBe("error");
  });
});
