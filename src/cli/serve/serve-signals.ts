/**
 * Metrics and traces of a running gateway: what is put around its parts, and who may read or gets what
 * they say. Nothing of traces is loaded where no collector is configured.
 */
import type { AdminRoute } from "../../admin/admin-route.ts";
import { systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import type { Log } from "../../contract/ambient.ts";
import type { DecisionLog } from "../../contract/record.ts";
import { gatewayName, gatewayVersion } from "../../contract/version.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { Connect } from "../../gateway/fleet/fleet-server-deps.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { createGatewayMetrics } from "../../gateway/signals/gateway-metrics.ts";
import { measuredLog } from "../../gateway/signals/measured-log.ts";
import type { StateSources } from "../../gateway/signals/state-metrics.ts";
import { MetricRegistry } from "../../telemetry/metrics/metric-registry.ts";
import { Gauge } from "../../telemetry/metrics/metrics.ts";

export interface SignalSetting {
  readonly config: Pick<GatewayConfig, "metrics" | "otlp">;
  readonly front: "stdio" | "http";
  readonly log: Log;
  readonly fetch: typeof globalThis.fetch;
  /** Resolves when there is time for it. */
  readonly mayStart: Promise<void>;
  /** Of this process, for whoever has metrics of several. */
  readonly instance: string;
}

export interface Signals {
  readonly watchLog: (log: DecisionLog) => DecisionLog;
  readonly watchConnect: (connect: Connect) => Connect;
  readonly watchGateway: <Watched extends Pick<Gateway, "act">>(gateway: Watched) => Watched;
  readonly onBundleFailure: (source: string) => void;
  /** Begins to read how the gateway is, and to listen; returns the routes of the admin interface. */
  readonly start: (sources: StateSources) => Promise<readonly AdminRoute[]>;
  readonly close: () => Promise<void>;
}

/** Makes what is put around the parts of a gateway. */
export async function createSignals(setting: SignalSetting): Promise<Signals> {
  const { config, front, log } = setting;
  const registry = new MetricRegistry(log);
  const metrics = createGatewayMetrics(registry);
  const traces = config.otlp && (await openTraces(setting, config.otlp, registry));
  const closing: (() => Promise<void> | void)[] = [];
  if (traces !== undefined) closing.push(traces.close);
  const inFlight = watchInFlight(registry);
  return {
    watchLog: (decisionLog) => {
      const measured = measuredLog(decisionLog, metrics, systemClock);
      return traces === undefined ? measured : traces.log(measured);
    },
    watchConnect: (connect) => (traces === undefined ? connect : traces.connect(connect)),
    watchGateway: (gateway) => {
      const act = counted(gateway.act, inFlight);
      const transport = front === "stdio" ? "pipe" : "tcp";
      return { ...gateway, act: traces === undefined ? act : traces.act(act, transport) };
    },
    onBundleFailure: (source) => metrics.bundleFailures.add([source]),
    start: async (sources) => {
      await addState(registry, metrics, sources, closing);
      await listen(setting, registry, closing);
      const { metricsRoutes } = await import("../../admin/routes/metrics-routes.ts");
      return metricsRoutes(registry);
    },
    close: async () => void (await Promise.all(closing.map(async (close) => close()))),
  };
}

interface InFlight {
  count: number;
}

function watchInFlight(registry: MetricRegistry): InFlight {
  const inFlight = { count: 0 };
  const gauge = registry.add(
    new Gauge({
      name: "mcp_gateway_requests_in_flight",
      help: "Decided requests that have not ended, those that wait for people included.",
    }),
  );
  registry.onRead(() => gauge.set(inFlight.count));
  return inFlight;
}

type Closing = (() => Promise<void> | void)[];

async function addState(
  registry: MetricRegistry,
  metrics: ReturnType<typeof createGatewayMetrics>,
  sources: StateSources,
  closing: Closing,
): Promise<void> {
  const { addStateMetrics } = await import("../../gateway/signals/state-metrics.ts");
  const { addProcessMetrics } = await import("../../telemetry/metrics/process-metrics.ts");
  addStateMetrics(registry, metrics, sources);
  const startedMs = systemClock.nowMs() - process.uptime() * 1000;
  closing.push(addProcessMetrics(registry, startedMs));
}

/** A gateway whose metrics cannot be listened for serves without them. */
async function listen(
  { config, log }: SignalSetting,
  registry: MetricRegistry,
  closing: Closing,
): Promise<void> {
  if (config.metrics.listen === undefined) return;
  try {
    const { openMetrics } = await import("../../admin/open-metrics.ts");
    const listener = await openMetrics(config.metrics.listen, registry, log);
    closing.push(listener.close);
  } catch (thrown) {
    log.error({ code: codeOf(thrown), reason: messageOf(thrown) }, "metrics listener not opened");
  }
}

async function openTraces(
  { log, fetch, instance }: SignalSetting,
  config: NonNullable<GatewayConfig["otlp"]>,
  registry: MetricRegistry,
) {
  const { OtlpExporter } = await import("../../telemetry/otlp/otlp-exporter.ts");
  const { Tracer } = await import("../../telemetry/tracing/tracer.ts");
  const { tracedAct } = await import("../../gateway/signals/traced-act.ts");
  const { tracedConnect } = await import("../../gateway/signals/traced-connect.ts");
  const { tracedLog } = await import("../../gateway/signals/traced-log.ts");
  const resource = {
    "service.name": gatewayName,
    "service.version": gatewayVersion,
    "service.instance.id": instance,
  };
  const clock = systemClock;
  const about = { config, registry, resource, version: gatewayVersion, fetch, clock, log };
  const exporter = new OtlpExporter(about);
  const tracer = new Tracer({
    clock,
    random: Math.random,
    sampleRatio: config.sampleRatio,
    onEnd: (span) => exporter.add(span),
  });
  return {
    log: (decisionLog: DecisionLog) => tracedLog(decisionLog, tracer),
    connect: (connect: Connect) => tracedConnect(connect, tracer),
    act: (act: Gateway["act"], transport: "pipe" | "tcp") => tracedAct(act, tracer, transport),
    close: () => exporter.close(),
  };
}

function counted(act: Gateway["act"], inFlight: InFlight): Gateway["act"] {
  return async (request) => {
    inFlight.count += 1;
    try {
      return await act(request);
    } finally {
      inFlight.count -= 1;
    }
  };
}
