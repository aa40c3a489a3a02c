/**
 * The trace of a client over HTTP: `_meta` goes before headers, headers are believed where they are
 * whole, and baggage is nobody's business.
 */
import { describe, expect, test } from "vitest";
import type { ActionRequest } from "../../../../src/gateway/gateway.ts";
import { beginSession, call, envelope, legacyRequest, modern } from "./messages.ts";
import type { Headers } from "./open-front.ts";
import { openFront } from "./open-front.ts";

const inMeta = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const inHeader = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const echo = { name: "echo", arguments: {} };

type Trace = Pick<ActionRequest, "traceparent" | "tracestate" | "transportTrace">;

/** What reaches the gateway of a modern call. */
async function traceOf(headers: Headers, meta: object = {}): Promise<Trace> {
  const front = await openFront();
  const params = { ...echo, _meta: { ...envelope, ...meta } };
  const answer = await front.send(modern("tools/call", params, headers));
  expect(answer.status).toBe(200);
  const [action] = front.actions;
  expect(JSON.stringify(action)).not.toContain("alice-in-baggage");
  return pick(action);
}

function pick(action: ActionRequest | undefined): Trace {
  const { traceparent, tracestate, transportTrace } = action ?? { traceparent: undefined };
  return { traceparent, tracestate, transportTrace };
}

const nothing = { traceparent: undefined, tracestate: undefined, transportTrace: undefined };

describe("the trace of an HTTP request", () => {
  test("is the caller's context where _meta has none", async () => {
    const headers = {
      traceparent: inHeader,
      tracestate: "rojo=1",
      baggage: "user=alice-in-baggage",
    };
    expect(await traceOf(headers)).toEqual({
      traceparent: inHeader,
      tracestate: undefined,
      transportTrace: { traceparent: inHeader, tracestate: "rojo=1", isParent: true },
    });
  });

  test("comes second where _meta has one, and their states are not mixed", async () => {
    const headers = { traceparent: inHeader, tracestate: "rojo=1" };
    expect(await traceOf(headers, { traceparent: inMeta, tracestate: "congo=2" })).toEqual({
      traceparent: inMeta,
      tracestate: "congo=2",
      transportTrace: { traceparent: inHeader, tracestate: "rojo=1", isParent: false },
    });
    expect(await traceOf(headers, { traceparent: inMeta })).toMatchObject({
      tracestate: undefined,
    });
  });

  test("is the caller's context where that of _meta is not whole", async () => {
    const found = await traceOf(
      { traceparent: inHeader },
      { traceparent: "00-evil", tracestate: "a=1" },
    );
    expect(found).toMatchObject({ traceparent: inHeader, tracestate: undefined });
    expect(found.transportTrace).toMatchObject({ isParent: true, tracestate: undefined });
  });

  test.each([
    ["none", {}],
    ["a text that is none", { traceparent: "evil" }],
    ["more behind it", { traceparent: `${inHeader}-00` }],
    ["a trace of zeros", { traceparent: `00-${"0".repeat(32)}-b7ad6b7169203331-01` }],
    ["version ff", { traceparent: inHeader.replace("00", "ff") }],
    ["two of them", { traceparent: [inHeader, inHeader] }],
    ["a state alone", { tracestate: "rojo=1" }],
  ])("is nothing with %s", async (_, headers) => {
    expect(await traceOf(headers)).toEqual(nothing);
  });

  test.each([
    ["too long", `rojo=${"x".repeat(600)}`],
    ["of too many", Array.from({ length: 33 }, (__, place) => `k${place}=1`).join(",")],
    ["of capital letters", "Rojo=1"],
  ])("loses a tracestate that is %s, and nothing else", async (_, tracestate) => {
    const { transportTrace } = await traceOf({ traceparent: inHeader, tracestate });
    expect(transportTrace).toMatchObject({ traceparent: inHeader, tracestate: undefined });
  });

  test("joins the parts of a tracestate that came in several headers", async () => {
    const headers = { traceparent: inHeader, tracestate: ["rojo=1", "congo=2"] };
    expect((await traceOf(headers)).transportTrace?.tracestate).toBe("rojo=1, congo=2");
  });

  test("counts for the request that it brought and for no later one of the session", async () => {
    const front = await openFront();
    const session = await beginSession(front);
    await front.send({ headers: { ...session, traceparent: inHeader }, body: call(1) });
    await front.send({ headers: session, body: call(2) });
    const params = { ...echo, _meta: { traceparent: inMeta } };
    const headers = { ...session, traceparent: inHeader };
    await front.send({ headers, body: legacyRequest(3, "tools/call", params) });
    expect(front.actions.map(pick)).toMatchObject([
      { traceparent: inHeader, transportTrace: { isParent: true } },
      nothing,
      { traceparent: inMeta, transportTrace: { traceparent: inHeader, isParent: false } },
    ]);
  });

  test("may be sent by a page that may call, baggage may not", async () => {
    const front = await openFront({ http: { allowedOrigins: ["https://app.example.com"] } });
    const answer = await front.send({
      method: "OPTIONS",
      headers: {
        Origin: "https://app.example.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "traceparent, tracestate, baggage",
      },
    });
    expect(answer.headers["access-control-allow-headers"]).toBe("traceparent, tracestate");
  });
});

describe("a request that listens", () => {
  test("hands its trace on to each thing that it subscribes to", async () => {
    const front = await openFront({ act: () => ({ kind: "error", code: 1, message: "no" }) });
    const notifications = { resourceSubscriptions: ["test://a", "test://b"] };
    const params = { notifications, _meta: { ...envelope, traceparent: inMeta } };
    const stream = await front.stream(
      modern("subscriptions/listen", params, { traceparent: inHeader }),
    );
    stream.disconnect();
    const found = { traceparent: inMeta, transportTrace: { traceparent: inHeader } };
    expect(front.actions.map(pick)).toMatchObject([found, found]);
  });
});
