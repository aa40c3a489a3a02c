/**
 * The process itself: memory, time on the processor, and how late its event loop is.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { MetricRegistry } from "./metric-registry.ts";
import { Counter, Gauge } from "./metrics.ts";

const resolutionMs = 20;

/** Registers them; the event loop is watched from the first reading on. Returns how to stop. */
export function addProcessMetrics(registry: MetricRegistry, startedMs: number): () => void {
  const gauge = (name: string, help: string, labels: readonly string[] = []): Gauge =>
    registry.add(new Gauge({ name: `mcp_gateway_${name}`, help, labels }));
  const resident = gauge("process_resident_memory_bytes", "Memory of the process.");
  const heap = gauge("process_heap_bytes", "Heap in use, that of policy threads not included.");
  const started = gauge("process_start_time_seconds", "When the gateway was started.");
  const lag = gauge(
    "event_loop_lag_seconds",
    "How late the event loop was since the last time that somebody asked.",
    ["quantile"],
  );
  const cpu = registry.add(
    new Counter({
      name: "mcp_gateway_process_cpu_seconds_total",
      help: "Time on the processor.",
    }),
  );
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  started.set(startedMs / 1000);
  registry.onRead(() => {
    const { rss, heapUsed } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    resident.set(rss);
    heap.set(heapUsed);
    cpu.take((user + system) / 1e6);
    for (const quantile of [50, 99, 100]) {
      // What is measured is the time between two looks.
      const late = delays.percentile(quantile) / 1e9 - resolutionMs / 1000;
      lag.set(Math.max(0, late), [String(quantile / 100)]);
    }
    delays.reset();
    // A gateway that nobody watches does not wake up for it.
    delays.enable();
  });
  return () => void delays.disable();
}
