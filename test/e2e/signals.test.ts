/**
 * What a running gateway tells of itself: metrics whose text a strict reader takes, alert rules, a
 * dashboard and a page of documentation that name nothing else, spans that hang together from the
 * client's context to the server's, and nowhere a word of what was sent or who sent it.
 */
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { eventually } from "../support/eventually.ts";
import { portOf } from "../support/fake-registry.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freePort } from "../support/free-port.ts";
import { freshEnvironment, root, serveCommand } from "../support/gateway-process.ts";
import { buildLayout } from "../support/policy-layout.ts";
import type { SentSpan } from "../support/otlp-spans.ts";
import { attributeOf, spansOf } from "../support/otlp-spans.ts";
import { labelsOf, namedIn, strangeNames } from "../support/prometheus-expression.ts";
import type { ReadFamily } from "../support/prometheus-text.ts";
import { readPrometheusText } from "../support/prometheus-text.ts";
import type { RawClient } from "../support/raw-client.ts";
import { startRawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const policy = {
  rego: `allow contains "granted" if input.action.type == "tool_call"

deny contains "no_environment" if input.action.tool == "environment"`,
};

const secret = "hunter2-in-arguments";
const collectorKey = "key-of-the-collector";
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const callerSpan = "00f067aa0ba902b7";
const sampled = { traceparent: `00-${traceId}-${callerSpan}-01`, tracestate: "rojo=1,congo=2" };
const unsampled = { traceparent: `00-${"a".repeat(32)}-${callerSpan}-00` };
const posted: { readonly url: string; readonly key: unknown; readonly text: string }[] = [];
const collector = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const text = Buffer.concat(chunks).toString("utf8");
    posted.push({ url: request.url ?? "", key: request.headers["x-key"], text });
    response.end("{}");
  });
});
const receivedFile = join(temporaryFolder(), "received");
let echoed = "";
let text = "";
let families: ReadonlyMap<string, ReadFamily> = new Map();
let spans: readonly SentSpan[] = [];

beforeAll(async () => {
  const layout = await buildLayout({ ok: policy });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${portOf(collector.address())}`;
  const otlp = { endpoint, headers: { "x-key": "${env:COLLECTOR_KEY}" }, interval: "1s" };
  const config = writeFixtureConfig(
    { ok: { policy: `oci-layout:${layout}:ok`, env: { FIXTURE_RECEIVED: receivedFile } } },
    { metrics: { listen: `127.0.0.1:${port}` }, telemetry: { otlp } },
  );
  const env = freshEnvironment({ COLLECTOR_KEY: collectorKey });
  const client = await startRawClient(serveCommand(config, env));
  await callAround(client);
  const metrics = `http://127.0.0.1:${port}/metrics`;
  await eventually(async () => (await fetch(metrics).catch(() => undefined))?.ok === true);
  text = await (await fetch(metrics)).text();
  families = readPrometheusText(text);
  await client.end();
  spans = posted.filter(({ url }) => url === "/v1/traces").flatMap((each) => spansOf(each.text));
}, 90_000);

afterAll(() => void collector.close());

async function callAround(client: RawClient): Promise<void> {
  const call = (name: string, args: object, meta: object) =>
    client.request("tools/call", { name, arguments: args, _meta: meta });
  echoed = JSON.stringify(await call("ok__echo", { note: secret }, sampled));
  await call(
    "ok__environment",
    { note: secret },
    { traceparent: `00-${traceId}-${callerSpan}-01` },
  );
  await call("ok__echo", { note: secret }, unsampled);
  await call(`ok__${secret}`, {}, sampled);
}

const strangersIn = (expressions: readonly string[]): readonly string[] =>
  strangeNames(expressions, families);

interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const alerts: readonly AlertRule[] = parse(
  readFileSync(join(root, "deploy/prometheus/alerts.yml"), "utf8"),
).groups.flatMap(({ rules }: { rules: AlertRule[] }) => rules);

interface Panel {
  readonly title: string;
  readonly targets: readonly { expr: string; legendFormat: string }[];
}

const dashboard: { readonly panels: readonly Panel[] } = JSON.parse(
  readFileSync(join(root, "deploy/grafana/mcp-gateway.json"), "utf8"),
);

describe("metrics of a running gateway", () => {
  const valueOf = (name: string, labels: object): number | undefined =>
    [...families.values()]
      .flatMap(({ samples }) => samples)
      .find(
        (one) =>
          one.name === name &&
          Object.entries(labels).every(([key, value]) => one.labels[key] === value),
      )?.value;

  test("count decisions, reasons and outcomes", () => {
    const allowed = { server: "ok", tool: "echo", action: "tool_call", effect: "allow" };
    expect(valueOf("mcp_gateway_decisions_total", allowed)).toBe(2);
    const denied = { ...allowed, tool: "environment", effect: "deny" };
    expect(valueOf("mcp_gateway_decisions_total", denied)).toBe(1);
    expect(valueOf("mcp_gateway_denial_reasons_total", { code: "no_environment" })).toBe(1);
    expect(valueOf("mcp_gateway_call_duration_seconds_count", { outcome: "completed" })).toBe(2);
    expect(valueOf("mcp_gateway_layer_duration_seconds_count", { layer: "ok" })).toBe(3);
    expect(valueOf("mcp_gateway_decision_duration_seconds_count", { phase: "record" })).toBe(4);
    expect(valueOf("mcp_gateway_upstream_state", { server: "ok", state: "up" })).toBe(1);
    expect(valueOf("mcp_gateway_fail_open_total", { path: "unrecorded" })).toBe(0);
    expect(valueOf("mcp_gateway_spool_committed_records_total", {})).toBeGreaterThan(4);
    expect(valueOf("mcp_gateway_requests_in_flight", {})).toBe(0);
  });

  test("name nobody and nothing that was sent", () => {
    expect(echoed).toContain(secret);
    expect(text).not.toContain(secret);
    expect(text).not.toContain("tester");
    expect(text).not.toContain("test-agent");
    expect(text).not.toContain(collectorKey);
  });
});

describe("alert rules and the dashboard", () => {
  test("name only metrics and labels that a running gateway has", () => {
    const expressions = [
      ...alerts.map(({ expr }) => expr),
      ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ];
    expect(expressions.length).toBeGreaterThan(25);
    expect(expressions.every((expression) => namedIn(expression).length > 0)).toBe(true);
    expect(strangersIn(expressions)).toEqual([]);
  });

  test("show only labels that their expressions have", () => {
    const shown = [
      ...alerts.map(({ expr, annotations }) => ({ expr, text: Object.values(annotations).join() })),
      ...dashboard.panels.flatMap(({ targets }) =>
        targets.map(({ expr, legendFormat }) => ({ expr, text: legendFormat })),
      ),
    ];
    const strangers = shown.flatMap(({ expr, text: template }) => {
      const labels = [...template.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)].map(
        ([, label = ""]) => label,
      );
      const metrics = namedIn(expr).map(({ metric }) => metric);
      return labels.filter(
        (label) => !metrics.some((metric) => labelsOf(families, metric).has(label)),
      );
    });
    expect(strangers).toEqual([]);
  });

  test("would be caught with a metric or a label that is not there", () => {
    expect(strangersIn(["rate(mcp_gateway_decision_total[5m])"])).toHaveLength(1);
    expect(strangersIn(['mcp_gateway_decisions_total{outcome="deny"}'])).toHaveLength(1);
    expect(strangersIn(["sum by (tools) (mcp_gateway_decisions_total)"])).toHaveLength(1);
  });

  test("have a rule for each thing that somebody has to look at", () => {
    const names = alerts.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    for (const word of [
      "Denial",
      "Spool",
      "Lag",
      "Export",
      "TooOld",
      "Bundle",
      "Approvals",
      "FailOpen",
      "Worker",
      "Slow",
    ]) {
      expect(names.join(" ")).toContain(word);
    }
  });
});

test("the page about metrics has a row for each, with its kind and its labels, and no other", () => {
  const page = readFileSync(join(root, "docs", "watch-the-gateway.md"), "utf8");
  const rows = [...page.matchAll(/^\| `(mcp_gateway_\w+)` \| (\w+) \| (.*?) \| .+ \|$/gm)].map(
    ([, name, type, labels = ""]) => [name, type, labels.replaceAll("`", "")],
  );
  const expected = [...families.values()].map(({ name, type, samples }) => {
    const labels = new Set(samples.flatMap((one) => Object.keys(one.labels)));
    labels.delete("le");
    return [name, type, [...labels].join(", ") || "–"];
  });
  expect(rows.map(String).toSorted()).toEqual(expected.map(String).toSorted());
});

describe("spans of a running gateway", () => {
  const named = (name: string) => spans.filter((span) => span.name === name);

  test("go from the client's context over the decision to the server", () => {
    const [server] = named("tools/call ok__echo");
    expect(server).toMatchObject({ traceId, parentSpanId: callerSpan, kind: 2, status: {} });
    expect(server?.traceState).toBe(sampled.tracestate);
    const within = spans.filter((span) => span.parentSpanId === server?.spanId);
    expect(within.map(({ name, kind }) => `${name} ${kind}`).toSorted()).toEqual([
      "mcp_gateway.decide 1",
      "tools/call echo 3",
    ]);
    const ids = [server, ...within].map((span) => attributeOf(span, "mcp_gateway.decision_id"));
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[\da-f-]{36}$/);
    expect(within.find(({ kind }) => kind === 1)?.events.map(({ name }) => name)).toEqual([
      "layer",
    ]);
  });

  test("are the parents of what the server does", () => {
    const lines = readFileSync(receivedFile, "utf8").trim().split("\n");
    const metas = lines.flatMap((line) => {
      const { method, params } = JSON.parse(line);
      return method === "tools/call" ? [params._meta] : [];
    });
    const client = spans.find(({ kind }) => kind === 3);
    expect(metas).toMatchObject([
      { traceparent: `00-${traceId}-${client?.spanId}-01`, tracestate: sampled.tracestate },
      unsampled,
    ]);
  });

  test("follow the conventions for MCP, and say of a denial that it is an error", () => {
    const [denied] = named("tools/call ok__environment");
    expect(attributeOf(denied, "mcp.method.name")).toBe("tools/call");
    expect(attributeOf(denied, "gen_ai.tool.name")).toBe("ok__environment");
    expect(attributeOf(denied, "gen_ai.operation.name")).toBe("execute_tool");
    expect(attributeOf(denied, "network.transport")).toBe("pipe");
    expect(attributeOf(denied, "mcp.protocol.version")).toBe("2025-11-25");
    expect(attributeOf(denied, "error.type")).toBe("tool_error");
    expect(attributeOf(denied, "mcp_gateway.effect")).toBe("deny");
    expect(denied?.status).toEqual({ code: 2 });
    expect(spans.filter(({ parentSpanId }) => parentSpanId === denied?.spanId)).toHaveLength(1);
  });

  test("are not made where the caller says that it is not traced", () => {
    expect(spans.length).toBeGreaterThan(0);
    expect(spans.filter((span) => span.traceId === "a".repeat(32))).toEqual([]);
  });

  test("hold nothing that was sent, no name that the client made up, and nobody", () => {
    const sent = posted.map((each) => each.text).join("\n");
    expect(named("tools/call")).toHaveLength(1);
    expect(sent).not.toContain(secret);
    expect(sent).not.toContain("tester");
    expect(sent).not.toContain("test-agent");
    expect(sent).not.toContain(collectorKey);
    expect(posted.every(({ key }) => key === collectorKey)).toBe(true);
  });

  test("come beside the metrics, under the same names", () => {
    const documents = posted.filter(({ url }) => url === "/v1/metrics").map((each) => each.text);
    const last = JSON.parse(documents.at(-1) ?? "{}");
    const metrics: readonly { name: string }[] = last.resourceMetrics[0].scopeMetrics[0].metrics;
    const names = new Set(metrics.map(({ name }) => name));
    const scraped = [...families.values()].filter(({ samples }) => samples.length > 0);
    expect(scraped.map(({ name }) => name).filter((name) => !names.has(name))).toEqual([]);
  });
});
