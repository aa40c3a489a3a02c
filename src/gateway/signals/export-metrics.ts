/**
 * How a gateway's own export is, as metrics; zeros where it exports nothing.
 */
import type { MetricRegistry } from "../../telemetry/metrics/metric-registry.ts";
import { Counter, Gauge } from "../../telemetry/metrics/metrics.ts";

export interface ExportStanding {
  readonly lagMs: number;
  readonly pendingBytes: number;
  readonly exported: number;
  readonly dropped: number;
  readonly failures: number;
}

/** Registers what asks it. */
export function addExportMetrics(registry: MetricRegistry, read: () => ExportStanding): void {
  const gauge = (name: string, help: string): Gauge =>
    registry.add(new Gauge({ name: `mcp_gateway_export_${name}`, help }));
  const counter = (name: string, help: string): Counter =>
    registry.add(new Counter({ name: `mcp_gateway_export_${name}`, help }));
  const lag = gauge("lag_seconds", "Age of the oldest record that the target has not taken.");
  const pending = gauge("pending_bytes", "Bytes of the spool that wait for the export.");
  const records = counter("records_total", "Records that the target has taken.");
  const dropped = counter("dropped_records_total", "Records that will never be exported.");
  const failures = counter("failures_total", "Attempts that the target did not take.");
  registry.onRead(() => {
    const standing = read();
    lag.set(standing.lagMs / 1000);
    pending.set(standing.pendingBytes);
    records.take(standing.exported);
    dropped.take(standing.dropped);
    failures.take(standing.failures);
  });
}
