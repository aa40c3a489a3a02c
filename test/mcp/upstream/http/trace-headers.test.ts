import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../src/contract/json.ts";
import {
  connect,
  greetLegacy,
  greetModern,
  rpcResult,
  sendJson,
  startFake,
  textResult,
} from "./fake-upstream.ts";

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const names = ["traceparent", "tracestate", "baggage"];

/** Trace headers of each POST to a server of this era, by its method. */
async function headersOf(protocol: "legacy" | "modern", meta: JsonObject) {
  const greet = protocol === "modern" ? greetModern : greetLegacy;
  const fake = await startFake((request) => {
    const { id, response } = request;
    if (!greet(request)) sendJson(response, rpcResult(id, textResult("done")));
  });
  const { call, upstream } = await connect({ url: fake.url, protocol });
  await call("get", {}, { meta });
  await call("get");
  await upstream.close();
  return fake.received
    .filter(({ method }) => method === "POST")
    .map(({ rpc, headers }) => [
      rpc,
      Object.fromEntries(Object.entries(headers).filter(([name]) => names.includes(name))),
    ]);
}

describe.each(["legacy", "modern"] as const)("a %s server over HTTP", (protocol) => {
  test("gets the trace of a call in headers too, and of that call alone", async () => {
    const all = await headersOf(protocol, { traceparent, tracestate: "rojo=1", baggage: "a=1" });
    const calls = all.filter(([rpc]) => rpc === "tools/call");
    expect(calls).toEqual([
      ["tools/call", { traceparent, tracestate: "rojo=1" }],
      ["tools/call", {}],
    ]);
    const others = all.filter(([rpc]) => rpc !== "tools/call");
    expect(others.length).toBeGreaterThan(0);
    for (const [, headers] of others) expect(headers).toEqual({});
  });

  test.each([
    ["a context that is none", { traceparent: "00-1", tracestate: "rojo=1" }],
    ["one that would end the header", { traceparent: `${traceparent}\r\nX-Admin: 1` }],
    ["a state alone", { tracestate: "rojo=1" }],
  ])("gets no header of %s", async (_, meta) => {
    const all = await headersOf(protocol, meta);
    for (const [, headers] of all) expect(headers).toEqual({});
  });

  test("gets no state that breaks its grammar", async () => {
    const all = await headersOf(protocol, { traceparent, tracestate: "rojo=1\r\nX-Admin: 1" });
    expect(all).toContainEqual(["tools/call", { traceparent }]);
  });
});
