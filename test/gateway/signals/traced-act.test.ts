import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import type { ActionReply, ActionRequest, RequestTrace } from "../../../src/gateway/gateway.ts";
import { tracedAct } from "../../../src/gateway/signals/traced-act.ts";
import type { EndedSpan } from "../../../src/telemetry/tracing/span.ts";
import { Tracer } from "../../../src/telemetry/tracing/tracer.ts";
import { principal } from "../../mcp/downstream/open-session.ts";

const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const inMeta = `00-${trace}-00f067aa0ba902b7-01`;
const other = "0af7651916cd43dd8448eb211c80319c";
const inHeader = `00-${other}-b7ad6b7169203331-01`;
const ofTransport = { traceparent: inHeader, tracestate: "rojo=1" };

/** The span of one call, and what the gateway got of it. */
async function traced(
  said: RequestTrace & Partial<ActionRequest>,
  reply: ActionReply = { kind: "cancelled" },
  transport: "pipe" | "tcp" = "tcp",
) {
  const spans: EndedSpan[] = [];
  const got: ActionRequest[] = [];
  const tracer = new Tracer({
    clock: systemClock,
    random: () => 0,
    sampleRatio: 1,
    onEnd: (span) => void spans.push(span),
  });
  const act = tracedAct(
    async (request) => {
      got.push(request);
      return reply;
    },
    tracer,
    transport,
  );
  await act({
    client: {
      principal,
      session: "key-to-the-session",
      era: "legacy",
      protocolVersion: "2025-11-25",
      claim: { name: "raw", version: "1" },
      capabilities: {},
    },
    subject: { type: "tool_call", name: "crm__get", argumentsJson: "{}" },
    inputResponsesJson: undefined,
    requestState: undefined,
    taskJson: undefined,
    logLevel: undefined,
    dropped: ["/_meta/tracestate", "/_meta/baggage"],
    onProgress: undefined,
    onNotification: () => {},
    ask: undefined,
    signal: new AbortController().signal,
    ...said,
  });
  return { span: spans[0], spans, got: got[0] };
}

describe("the span of a request", () => {
  test("has the context of _meta for its parent, and links to that of its transport", async () => {
    const { span, got } = await traced({
      traceparent: inMeta,
      tracestate: "congo=2",
      transportTrace: { ...ofTransport, isParent: false },
    });
    expect(span).toMatchObject({
      kind: "server",
      context: { traceId: trace },
      parentSpanId: "00f067aa0ba902b7",
      tracestate: "congo=2",
      links: [{ context: { traceId: other, spanId: "b7ad6b7169203331" }, tracestate: "rojo=1" }],
    });
    expect(got?.traceparent).toBe(`00-${trace}-${span?.context.spanId}-01`);
    expect(got?.dropped).toEqual(["/_meta/baggage"]);
  });

  test("has that of its transport for its parent where _meta has none, and what _meta says beside it stays dropped", async () => {
    const { span, got } = await traced({
      traceparent: inHeader,
      transportTrace: { ...ofTransport, isParent: true },
    });
    expect(span).toMatchObject({
      parentSpanId: "b7ad6b7169203331",
      tracestate: "rojo=1",
      links: [],
    });
    expect(got?.dropped).toEqual(["/_meta/tracestate", "/_meta/baggage"]);
  });

  test("is not made where the context that counts says so, whatever the other one says", async () => {
    const unsampled = inMeta.replace(/1$/, "0");
    const { spans, got } = await traced({
      traceparent: unsampled,
      transportTrace: { ...ofTransport, isParent: false },
    });
    expect(spans).toEqual([]);
    expect(got?.traceparent).toBe(unsampled);
  });

  test("says how it came, and no key to a session", async () => {
    const { span } = await traced({ traceparent: undefined });
    expect(span?.attributes).toEqual({
      "mcp.method.name": "tools/call",
      "mcp.protocol.version": "2025-11-25",
      "mcp.session.id": expect.stringMatching(/^[0-9a-f]{16}$/),
      "network.transport": "tcp",
      "network.protocol.name": "http",
      "gen_ai.operation.name": "execute_tool",
    });
    const piped = await traced({ traceparent: undefined }, { kind: "cancelled" }, "pipe");
    expect(piped.span?.attributes).toMatchObject({ "network.transport": "pipe" });
    expect(piped.span?.attributes).not.toHaveProperty("network.protocol.name");
  });

  test("ends with the code of a JSON-RPC error, and with nothing of its message", async () => {
    const reply = { kind: "error", code: -32_602, message: "hunter2" } as const;
    const { span } = await traced({ traceparent: undefined }, reply);
    expect(span).toMatchObject({
      errorType: "-32602",
      attributes: { "rpc.response.status_code": "-32602" },
    });
    expect(JSON.stringify(span)).not.toContain("hunter2");
  });
});
