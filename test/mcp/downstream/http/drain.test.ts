/**
 * The end of the front: nobody in flight is dropped within the grace time, nobody new is let in.
 */
import { describe, expect, test } from "vitest";
import type { ActionReply } from "../../../../src/gateway/gateway.ts";
import { eventually } from "../../../support/eventually.ts";
import { textResult, untilCancelled } from "./fake-gateway.ts";
import { beginSession, call, initialize, modern } from "./messages.ts";
import { openFront } from "./open-front.ts";

const callEcho = modern("tools/call", { name: "echo", arguments: {} });

describe("a front that ends", () => {
  test("waits for what is in flight, and refuses what is new", async () => {
    let finish: (reply: ActionReply) => void = () => {};
    const front = await openFront({
      act: () => new Promise((resolve) => (finish = resolve)),
      limits: { graceMs: 10_000 },
    });
    const headers = await beginSession(front);
    const pending = front.send({ headers, body: call(1) });
    await eventually(() => front.actions.length === 1);
    const closed = front.close();
    const statuses = await Promise.all([
      front.send({ method: "GET", path: "/readyz" }),
      front.send({ method: "GET", path: "/livez" }),
      front.send({ body: initialize() }),
      front.send({ headers, body: call(2) }),
      front.send({ method: "GET", headers }),
      front.send(callEcho),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([503, 200, 503, 503, 503, 503]);
    finish(textResult("in time"));
    expect((await pending).json.result?.content?.[0]?.text).toBe("in time");
    await closed;
    await expect(front.send({ method: "GET", path: "/livez" })).rejects.toThrow(/ECONN|hang up/);
  });

  test("still takes the answer that a request in flight waits for", async () => {
    const front = await openFront({
      act: async ({ ask, signal }) => {
        const reply = await ask?.({ method: "roots/list", paramsJson: "{}", signal });
        return textResult(reply?.kind ?? "");
      },
      limits: { graceMs: 10_000 },
    });
    const headers = await beginSession(front);
    const stream = await front.stream({ headers, body: call(1) });
    await eventually(() => stream.messages().length === 1);
    const closed = front.close();
    const body = { jsonrpc: "2.0", id: stream.messages()[0]?.id, result: { roots: [] } };
    expect((await front.send({ headers, body })).status).toBe(202);
    await stream.ended;
    expect(stream.messages()[1]?.result?.content?.[0]?.text).toBe("result");
    await closed;
  });

  test("ends subscriptions with a result, and streams of listening clients, at once", async () => {
    const front = await openFront({ limits: { graceMs: 10_000 } });
    const headers = await beginSession(front);
    const listening = await front.stream({ method: "GET", headers });
    const subscribed = await front.stream(modern("subscriptions/listen", { notifications: {} }));
    await eventually(() => subscribed.messages().length === 1);
    await front.close();
    await Promise.all([listening.ended, subscribed.ended]);
    expect(subscribed.messages()[1]).toMatchObject({ id: 1, result: { resultType: "complete" } });
  });

  test("cancels after the grace time what did not end, and says so", async () => {
    const front = await openFront({ act: untilCancelled, limits: { graceMs: 50 } });
    const headers = await beginSession(front);
    const pending = front.send({ headers, body: call(1) });
    await eventually(() => front.actions.length === 1);
    await front.close();
    expect((await pending).status).toBe(503);
    expect(front.actions[0]?.signal.aborted).toBe(true);
    expect(front.log.lines.map(({ message }) => message)).toContain(
      "requests cut at the end of the grace time",
    );
    expect(front.forgotten).toHaveLength(1);
  });

  test("ends even where a request never does", async () => {
    const front = await openFront({ act: () => new Promise(() => {}), limits: { graceMs: 20 } });
    const pending = front.send(callEcho).catch(() => undefined);
    await eventually(() => front.actions.length === 1);
    const startedMs = performance.now();
    await front.close();
    expect(performance.now() - startedMs).toBeLessThan(20_000);
    await pending;
  });

  test("may be told twice, and is told of nothing that it cut", async () => {
    const front = await openFront();
    await Promise.all([front.close(), front.close()]);
    await front.close();
    expect(front.log.lines).toEqual([]);
  });
});
