/**
 * How the gateway is, read when somebody reads metrics: spool, bundles, servers, approvals, blocks.
 * Whoever puts the gateway together says where each is found.
 */
import type { MetricRegistry } from "../../telemetry/metrics/metric-registry.ts";
import { Counter, Gauge } from "../../telemetry/metrics/metrics.ts";
import type { UpstreamStanding } from "../fleet/upstream-standing.ts";
import type { ExportStanding } from "./export-metrics.ts";
import { addExportMetrics } from "./export-metrics.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";

export interface SpoolStanding {
  readonly committedRecords: number;
  readonly lostRecords: number;
  readonly unrecorded: number;
  readonly unshippedBytes: number;
  readonly unshippedRecords: number;
  readonly shippingLagMs: number;
  readonly deadLetters: number;
  /** The last write or the last look at the store failed. */
  readonly isFailing: boolean;
}

export interface BundleStanding {
  /** Name of the server or layer, or of what is tried beside it. */
  readonly source: string;
  /** Milliseconds since the epoch; `undefined` where that never was. */
  readonly activatedMs: number | undefined;
  readonly heardMs: number | undefined;
  readonly isFailing: boolean;
}

type FailureMetrics = Pick<GatewayMetrics, "failOpen" | "bundleFailures" | "layerFailures">;

export interface StateSources {
  readonly spool: () => SpoolStanding;
  readonly export: () => ExportStanding;
  readonly bundles: () => Promise<readonly BundleStanding[]>;
  readonly upstreams: () => readonly UpstreamStanding[];
  /** Requests for approval that wait, with the time of the oldest. */
  readonly approvals: () => Promise<{
    readonly waiting: number;
    readonly oldestMs: number | undefined;
  }>;
  readonly blocks: () => number;
  readonly workerRestarts: () => number;
  readonly nowMs: () => number;
}

/** Registers gauges that ask these. */
export function addStateMetrics(
  registry: MetricRegistry,
  metrics: FailureMetrics,
  sources: StateSources,
): void {
  addSpool(registry, metrics, sources);
  addExportMetrics(registry, sources.export);
  addBundles(registry, metrics, sources);
  addUpstreams(registry, sources);
  addPeople(registry, sources);
  const restarts = counter(
    registry,
    "policy_worker_restarts_total",
    "Policy threads that ended and were replaced.",
  );
  registry.onRead(() => restarts.take(sources.workerRestarts()));
}

function addSpool(
  registry: MetricRegistry,
  { failOpen }: FailureMetrics,
  { spool }: StateSources,
): void {
  const committed = counter(
    registry,
    "spool_committed_records_total",
    "Records that were made durable.",
  );
  const lost = counter(
    registry,
    "spool_lost_records_total",
    "Records that could not be written and were given up.",
  );
  const records = gauge(
    registry,
    "spool_unshipped_records",
    "Records of this process that are not in the store yet; 0 with the embedded store.",
  );
  const bytes = gauge(
    registry,
    "spool_unshipped_bytes",
    "Bytes that are not in the store yet, those of ended processes included.",
  );
  const lag = gauge(registry, "shipping_lag_seconds", "How long the oldest of them has waited.");
  const dead = gauge(
    registry,
    "spool_dead_letters",
    "Records that the store refused and keeps apart.",
  );
  const failing = gauge(
    registry,
    "spool_failing",
    "1 where the last write or the last look at the store failed.",
  );
  failOpen.take(0, ["unrecorded"]);
  failOpen.take(0, ["layer_failed"]);
  registry.onRead(() => {
    const standing = spool();
    committed.take(standing.committedRecords);
    lost.take(standing.lostRecords);
    records.set(standing.unshippedRecords);
    bytes.set(standing.unshippedBytes);
    lag.set(standing.shippingLagMs / 1000);
    dead.set(standing.deadLetters);
    failing.set(Number(standing.isFailing));
    failOpen.take(standing.unrecorded, ["unrecorded"]);
  });
}

/** What may never happen is there with a zero from the beginning, so that the first time is a rise. */
const layerFailures = ["policy_error", "policy_timeout", "no_decision", "no_policy"] as const;

function addBundles(
  registry: MetricRegistry,
  metrics: FailureMetrics,
  { bundles, nowMs }: StateSources,
): void {
  const labels = ["source"];
  const age = gauge(
    registry,
    "bundle_age_seconds",
    "Time since the active bundle was made active.",
    labels,
  );
  const activated = gauge(
    registry,
    "bundle_last_activation_timestamp_seconds",
    "When a bundle was last made active.",
    labels,
  );
  const heard = gauge(
    registry,
    "bundle_last_success_timestamp_seconds",
    "When its source last answered; polls without news are noted once a minute.",
    labels,
  );
  const failing = gauge(
    registry,
    "bundle_failing",
    "1 where something is wrong with a source or with what it has.",
    labels,
  );
  registry.onRead(async () => {
    const standings = await bundles();
    for (const one of [age, activated, heard, failing]) one.clear();
    for (const { source, activatedMs, heardMs, isFailing } of standings) {
      if (activatedMs !== undefined) age.set(Math.max(0, nowMs() - activatedMs) / 1000, [source]);
      if (activatedMs !== undefined) activated.set(activatedMs / 1000, [source]);
      if (heardMs !== undefined) heard.set(heardMs / 1000, [source]);
      failing.set(Number(isFailing), [source]);
      metrics.bundleFailures.add([source], 0);
      for (const code of layerFailures) metrics.layerFailures.add([source, code], 0);
    }
  });
}

const upstreamStates = ["idle", "starting", "up", "backing_off", "open_circuit"] as const;

function addUpstreams(registry: MetricRegistry, { upstreams }: StateSources): void {
  const labels = ["server"];
  const state = gauge(registry, "upstream_state", "1 for the state that a server is in.", [
    "server",
    "state",
  ]);
  const connections = gauge(
    registry,
    "upstream_connections",
    "Connections that are open or start.",
    labels,
  );
  const inFlight = gauge(
    registry,
    "upstream_requests_in_flight",
    "Requests that were sent and not answered.",
    labels,
  );
  const queued = gauge(
    registry,
    "upstream_requests_queued",
    "Requests that wait for their turn.",
    labels,
  );
  const restarts = counter(
    registry,
    "upstream_restarts_total",
    "Starts after a failed start or a lost connection.",
    labels,
  );
  registry.onRead(() => {
    for (const one of [state, connections, inFlight, queued]) one.clear();
    for (const { server, status } of upstreams()) {
      for (const each of upstreamStates) state.set(Number(status.state === each), [server, each]);
      connections.set(status.connections, [server]);
      inFlight.set(status.inFlight, [server]);
      queued.set(status.queued, [server]);
      restarts.take(status.restarts, [server]);
    }
  });
}

function addPeople(registry: MetricRegistry, { approvals, blocks, nowMs }: StateSources): void {
  const waiting = gauge(
    registry,
    "approvals_waiting",
    "Requests for approval that nobody has answered.",
  );
  const oldest = gauge(
    registry,
    "approvals_oldest_wait_seconds",
    "How long the oldest of them has waited.",
  );
  const blocked = gauge(registry, "blocks_active", "What an operator has stopped.");
  registry.onRead(() => blocked.set(blocks()));
  registry.onRead(async () => {
    const standing = await approvals();
    const { oldestMs } = standing;
    waiting.set(standing.waiting);
    oldest.set(oldestMs === undefined ? 0 : Math.max(0, nowMs() - oldestMs) / 1000);
  });
}

function gauge(
  registry: MetricRegistry,
  name: string,
  help: string,
  labels: readonly string[] = [],
): Gauge {
  return registry.add(new Gauge({ name: `mcp_gateway_${name}`, help, labels, maxSeries: 5000 }));
}

function counter(
  registry: MetricRegistry,
  name: string,
  help: string,
  labels: readonly string[] = [],
): Counter {
  return registry.add(new Counter({ name: `mcp_gateway_${name}`, help, labels, maxSeries: 5000 }));
}
