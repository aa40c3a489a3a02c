import { createServer } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import { MetricRegistry } from "../../../src/telemetry/metrics/metric-registry.ts";
import { Histogram } from "../../../src/telemetry/metrics/metrics.ts";
import { OtlpExporter } from "../../../src/telemetry/otlp/otlp-exporter.ts";
import type { EndedSpan } from "../../../src/telemetry/tracing/span.ts";
import { portOf } from "../../support/fake-registry.ts";
import { freePort } from "../../support/free-port.ts";
import { createTestLog } from "../../support/log.ts";

const span: EndedSpan = {
  context: { traceId: "a".repeat(32), spanId: "b".repeat(16), isSampled: true },
  parentSpanId: undefined,
  tracestate: undefined,
  name: "tools/call",
  kind: "server",
  startMs: 1_700_000_000_123.5,
  endMs: 1_700_000_000_124,
  attributes: { text: "x", list: ["a"], flag: true, count: 3, share: 0.5 },
  events: [],
  links: [],
  errorType: undefined,
};

function openExporter(endpoint: string, headers: Readonly<Record<string, string>> = {}) {
  const log = createTestLog();
  const registry = new MetricRegistry(log);
  const seconds = registry.add(new Histogram({ name: "x_seconds", help: "X.", bounds: [1, 2] }));
  const exporter = new OtlpExporter({
    config: { endpoint, headers, intervalMs: 3_600_000 },
    registry,
    resource: { "service.name": "gateway" },
    version: "1",
    fetch: globalThis.fetch,
    clock: systemClock,
    log,
  });
  onTestFinished(() => exporter.close());
  const totalOf = async (name: string): Promise<number> => {
    const family = (await registry.read()).find((one) => one.name === name);
    return (family?.samples ?? []).reduce((sum, { value }) => sum + value, 0);
  };
  return { exporter, log, seconds, totalOf };
}

async function openCollector(status: number, location?: string) {
  const bodies: { readonly url: string | undefined; readonly document: unknown }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      bodies.push({ url: request.url, document: text === "" ? undefined : JSON.parse(text) });
      response.writeHead(status, location === undefined ? {} : { location }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { bodies, endpoint: `http://127.0.0.1:${portOf(server.address())}` };
}

describe("a collector", () => {
  test("gets spans and metrics in OTLP's JSON", async () => {
    const { bodies, endpoint } = await openCollector(200);
    const { exporter, seconds } = openExporter(endpoint);
    seconds.observe(1.5);
    exporter.add(span);
    await exporter.flush();
    const spans = bodies.find(({ url }) => url === "/v1/traces")?.document;
    expect(spans).toMatchObject({
      resourceSpans: [
        {
          resource: { attributes: [{ key: "service.name", value: { stringValue: "gateway" } }] },
          scopeSpans: [
            {
              spans: [
                {
                  traceId: "a".repeat(32),
                  kind: 2,
                  startTimeUnixNano: "1700000000123500000",
                  endTimeUnixNano: "1700000000124000000",
                  attributes: [
                    { key: "text", value: { stringValue: "x" } },
                    { key: "list", value: { arrayValue: { values: [{ stringValue: "a" }] } } },
                    { key: "flag", value: { boolValue: true } },
                    { key: "count", value: { intValue: "3" } },
                    { key: "share", value: { doubleValue: 0.5 } },
                  ],
                },
              ],
            },
          ],
        },
      ],
    });
    const metrics = bodies.find(({ url }) => url === "/v1/metrics")?.document;
    expect(JSON.stringify(metrics)).toContain('"count":"1","sum":1.5,"bucketCounts":["0","1","0"]');
  });

  test("that is away is waited for by nobody: spans have a bound, and those past it are counted", async () => {
    const { exporter, log, totalOf } = openExporter(`http://127.0.0.1:${await freePort()}`);
    for (let number = 0; number < 5000; number += 1) exporter.add(span);
    expect(await totalOf("mcp_gateway_otlp_dropped_spans_total")).toBeGreaterThan(0);
    for (let round = 0; round < 3; round += 1) await exporter.flush();
    expect(await totalOf("mcp_gateway_otlp_failures_total")).toBeGreaterThanOrEqual(3);
    const warnings = log.lines.filter(({ level }) => level === "warn");
    expect(warnings).toHaveLength(1);
    await exporter.close();
    exporter.add(span);
    expect(await totalOf("mcp_gateway_otlp_dropped_spans_total")).toBeGreaterThan(900);
  });

  test("leads nobody anywhere else: keys stay with it", async () => {
    const other = await openCollector(200);
    const { endpoint } = await openCollector(307, `${other.endpoint}/v1/traces`);
    const { exporter, totalOf } = openExporter(endpoint, { "x-key": "secret" });
    exporter.add(span);
    await exporter.flush();
    expect(other.bodies).toEqual([]);
    expect(await totalOf("mcp_gateway_otlp_dropped_spans_total")).toBe(1);
  });

  test("that refuses is told of in the log, without a word of the keys", async () => {
    const { endpoint } = await openCollector(401);
    const { exporter, log } = openExporter(endpoint, { "x-key": "secret-key" });
    exporter.add(span);
    await exporter.flush();
    expect(log.lines).toMatchObject([{ level: "warn", data: { reason: "status 401" } }]);
    expect(JSON.stringify(log.lines)).not.toContain("secret-key");
  });
});
