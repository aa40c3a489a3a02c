/**
 * Sends metrics and spans to a collector, OTLP/HTTP with JSON. Nothing waits for it: spans queue up to
 * a bound and what goes past it is counted and gone, and so is what a collector that is away does not
 * take. A gateway that ends sends what it has, for as long as a short grace allows.
 */
import type { Clock, Log } from "../../contract/ambient.ts";
import { messageOf } from "../../errors.ts";
import type { MetricRegistry } from "../metrics/metric-registry.ts";
import { Counter } from "../metrics/metrics.ts";
import type { EndedSpan } from "../tracing/span.ts";
import { encodeMetrics } from "./encode-metrics.ts";
import { encodeSpans } from "./encode-spans.ts";
import type { Resource } from "./otlp-value.ts";

const queueMaxSpans = 4096;
const batchMaxSpans = 512;
const requestMs = 5000;
const closeGraceMs = 1000;

export interface OtlpTarget {
  /** Base URL without a slash at its end. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number;
}

export interface OtlpExporterOptions {
  readonly config: OtlpTarget;
  readonly registry: MetricRegistry;
  readonly resource: Resource;
  readonly version: string;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly log: Log;
}

type Signal = "metrics" | "traces";

/** Sends from its construction until `close`. */
export class OtlpExporter {
  readonly #options: OtlpExporterOptions;
  readonly #startedMs: number;
  readonly #dropped: Counter;
  readonly #failures: Counter;
  readonly #timer: NodeJS.Timeout;
  #queue: EndedSpan[] = [];
  #sending: Promise<void> | undefined;
  #isAway = false;
  #isClosed = false;

  constructor(options: OtlpExporterOptions) {
    this.#options = options;
    const { registry, clock, config } = options;
    this.#startedMs = clock.nowMs();
    this.#dropped = registry.add(
      new Counter({
        name: "mcp_gateway_otlp_dropped_spans_total",
        help: "Spans that no collector took.",
      }),
    );
    this.#failures = registry.add(
      new Counter({
        name: "mcp_gateway_otlp_failures_total",
        help: "Requests to the collector that failed, by signal.",
        labels: ["signal"],
      }),
    );
    for (const signal of ["metrics", "traces"]) this.#failures.add([signal], 0);
    this.#timer = setInterval(() => void this.flush(), config.intervalMs).unref();
  }

  /** Takes a span; never waits. */
  add(span: EndedSpan): void {
    if (this.#isClosed || this.#queue.length >= queueMaxSpans) return this.#dropped.add();
    this.#queue.push(span);
    if (this.#queue.length === batchMaxSpans && !this.#isAway) void this.#sendSpans();
  }

  /** Sends what there is; resolves when that was tried, and never rejects. */
  async flush(): Promise<void> {
    await Promise.all([this.#sendMetrics(), this.#sendSpans()]);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const grace = new Promise<void>((resolve) => void setTimeout(resolve, closeGraceMs).unref());
    await Promise.race([this.flush(), grace]);
    this.#isClosed = true;
  }

  async #sendMetrics(): Promise<void> {
    const { registry, resource, version, clock } = this.#options;
    const families = await registry.read();
    const span = { startMs: this.#startedMs, timeMs: clock.nowMs() };
    await this.#post("metrics", encodeMetrics(families, span, resource, version));
  }

  /** One request at a time; spans that come meanwhile go with the next. */
  async #sendSpans(): Promise<void> {
    this.#sending ??= this.#sendQueued().finally(() => {
      this.#sending = undefined;
    });
    await this.#sending;
  }

  async #sendQueued(): Promise<void> {
    const { resource, version } = this.#options;
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, batchMaxSpans);
      const isTaken = await this.#post("traces", encodeSpans(batch, resource, version));
      if (isTaken) continue;
      this.#dropped.add([], batch.length);
      return;
    }
  }

  async #post(signal: Signal, document: object): Promise<boolean> {
    const { config, fetch, log } = this.#options;
    try {
      const response = await fetch(`${config.endpoint}/v1/${signal}`, {
        method: "POST",
        headers: { ...config.headers, "content-type": "application/json" },
        body: JSON.stringify(document),
        // Headers hold keys, and go nowhere else.
        redirect: "error",
        signal: AbortSignal.timeout(requestMs),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`status ${response.status}`);
      if (this.#isAway) log.info({}, "otlp collector is back");
      this.#isAway = false;
      return true;
    } catch (thrown) {
      this.#failures.add([signal]);
      const found = { signal, reason: messageOf(thrown) };
      if (!this.#isAway) log.warn(found, "otlp collector does not take what it is sent");
      this.#isAway = true;
      return false;
    }
  }
}
