/**
 * One trace from a client over HTTP, which says it in headers, through a real gateway to a server over
 * HTTP, the collector and the record.
 */
import { createServer } from "node:http";
import { onTestFinished, expect, test } from "vitest";
import { rpcResult, sendJson, startFake, textResult } from "../mcp/upstream/http/fake-upstream.ts";
import { envelope, modern } from "../mcp/downstream/http/messages.ts";
import { eventually } from "../support/eventually.ts";
import { portOf } from "../support/fake-registry.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin } from "../support/gateway-process.ts";
import type { SentSpan } from "../support/otlp-spans.ts";
import { attributeOf, spansOf } from "../support/otlp-spans.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import { startHttpGateway } from "./bypasses/http-gateway.ts";

const inMeta = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const inHeader = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const headers = { traceparent: inHeader, tracestate: "rojo=1", baggage: "user=alice-in-baggage" };

async function openCollector() {
  const texts: string[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
    request.on("end", () => {
      if (request.url === "/v1/traces") texts.push(text);
      response.end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { endpoint: `http://127.0.0.1:${portOf(server.address())}`, texts };
}

/** A modern server with one tool. */
async function openServer() {
  const answers: Readonly<Record<string, object>> = {
    "server/discover": { supportedVersions: ["2026-07-28"], capabilities: { tools: {} } },
    "tools/list": { tools: [{ name: "get", description: "", inputSchema: { type: "object" } }] },
    "tools/call": textResult("done"),
  };
  return await startFake(({ rpc, id, response }) => {
    sendJson(response, rpcResult(id, { resultType: "complete", ...answers[rpc] }));
  });
}

test("a trace in headers goes through the gateway to server, collector and record, baggage to none", async () => {
  const { endpoint, texts } = await openCollector();
  const upstream = await openServer();
  const layout = await buildLayout({ crm: allowAll });
  const crm = { url: upstream.url, policy: `oci-layout:${layout}:crm` };
  const config = writeFixtureConfig({}, { servers: { crm }, telemetry: { otlp: { endpoint } } });
  const env = freshEnvironment();
  const gateway = await startHttpGateway({ config, env });
  onTestFinished(() => gateway.close());
  const call = async (meta: object): Promise<void> => {
    const _meta = { ...envelope, ...meta };
    const sent = modern("tools/call", { name: "crm__get", arguments: {}, _meta }, headers);
    const answer = await gateway.post({ body: sent.body, headers: sent.headers ?? {} });
    expect(answer.text).toContain("done");
  };
  await call({});
  await call({ traceparent: inMeta });
  await gateway.close();

  const spans = texts.flatMap(spansOf);
  const servers = spans.filter(({ kind }) => kind === 2);
  const byParent = (id: string): SentSpan | undefined =>
    servers.find(({ parentSpanId }) => parentSpanId === id);
  const [ofHeader, ofMeta] = [byParent("b7ad6b7169203331"), byParent("00f067aa0ba902b7")];
  expect(ofHeader).toMatchObject({ traceId: inHeader.slice(3, 35), traceState: "rojo=1" });
  expect(ofHeader).not.toHaveProperty("links");
  const link = { traceId: inHeader.slice(3, 35), spanId: "b7ad6b7169203331", flags: 1 };
  expect(ofMeta).toMatchObject({ traceId: inMeta.slice(3, 35), links: [link] });
  expect(ofMeta).not.toHaveProperty("traceState");
  expect(attributeOf(ofHeader, "network.transport")).toBe("tcp");

  const clients = [ofHeader, ofMeta].map((parent) =>
    spans.find(({ kind, parentSpanId }) => kind === 3 && parentSpanId === parent?.spanId),
  );
  const calls = upstream.received.filter(({ rpc }) => rpc === "tools/call");
  const told = clients.map((span) => `00-${span?.traceId}-${span?.spanId}-01`);
  expect(calls.map((one) => one.headers["traceparent"])).toEqual(told);
  expect(calls.map((one) => one.headers["tracestate"])).toEqual(["rojo=1", undefined]);
  expect(calls.map(({ body }) => Object(Object(body["params"])._meta).traceparent)).toEqual(told);

  const seen = JSON.stringify([texts, calls.map((one) => [one.headers, one.body])]);
  expect(seen).not.toContain("alice-in-baggage");
  await eventually(async () => {
    const { stdout } = await runBin(
      ["decision", "get", "last", "--config", config, "-o", "json"],
      env,
    );
    expect(stdout).not.toContain("alice-in-baggage");
    return stdout.includes(`"trace_id": "${inMeta.slice(3, 35)}"`);
  });
}, 180_000);
