/**
 * All metrics of one gateway, and what has to be looked at before they are read. A look that fails or
 * takes its time leaves its own metrics as they were and holds up nobody.
 */
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../../errors.ts";
import type { Log } from "../../contract/ambient.ts";
import type { Metric, MetricFamily } from "./metrics.ts";

/** How long one look may take; stores that are away are looked at too. */
const lookMs = 2000;

export type Look = () => Promise<void> | void;

export class MetricRegistry {
  readonly #log: Log;
  readonly #metrics: Metric[] = [];
  readonly #looks: Look[] = [];
  #reading: Promise<readonly MetricFamily[]> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  add<Added extends Metric>(metric: Added): Added {
    this.#metrics.push(metric);
    return metric;
  }

  /** Called each time before metrics are read. */
  onRead(look: Look): void {
    this.#looks.push(look);
  }

  /** All families as they are now; those who ask meanwhile get the same. Never rejects. */
  read(): Promise<readonly MetricFamily[]> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readNow(): Promise<readonly MetricFamily[]> {
    await Promise.all(this.#looks.map((look) => this.#take(look)));
    return this.#metrics.map((metric) => metric.read());
  }

  async #take(look: Look): Promise<void> {
    try {
      await Promise.race([look(), delay(lookMs, undefined, { ref: false })]);
    } catch (thrown) {
      this.#log.debug({ reason: messageOf(thrown) }, "part of the metrics not read");
    }
  }
}
