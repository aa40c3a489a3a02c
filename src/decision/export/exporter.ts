/**
 * Exports by itself while a gateway runs: what is committed in the spool of the state folder, of this
 * writer, of other living ones and of ended ones, each in its order. A place is noted once the target
 * has taken everything before it. Of several gateways on one state folder one exports, and another
 * goes on when it ends. No call waits for it, and none fails because of it.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExportConfig } from "../../config/decisions-config.ts";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { ProcessLock } from "../../database/process-lock.ts";
import { acquireProcessLock } from "../../database/process-lock.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { Pause } from "../pause.ts";
import type { SpoolPosition } from "../spool/committed-mark.ts";
import type { EventSink } from "./event-sink.ts";
import { exportKey } from "./exported-place.ts";
import { ExportedSpool } from "./exported-spool.ts";

const startDelayMs = 500;
const standbyMs = 2_000;

export interface ExporterOptions {
  readonly config: ExportConfig;
  readonly sink: EventSink;
  readonly spool: string;
  /** This process's own writer. */
  readonly writer: string;
  /** How far the own writer's spool is committed. */
  readonly committed: () => SpoolPosition;
  /** Bytes that may wait for a target that is away; `undefined` where the spool is kept anyway. */
  readonly bufferMaxBytes: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ExporterStatus {
  readonly target: string;
  /** `away`: the target did not take it the last time. `standby`: another gateway exports. */
  readonly state: "waiting" | "exporting" | "away" | "standby";
  /** Age of the oldest record that was offered and not taken. */
  readonly lagMs: number;
  /** Bytes of the spool that were not exported, as last counted. */
  readonly pendingBytes: number;
  /** Lines that the target has taken from this process. */
  readonly exported: number;
  /** Records that it will never get from here. */
  readonly dropped: number;
  readonly failures: number;
}

/** Runs from its construction until `close`. */
export class Exporter {
  readonly #options: ExporterOptions;
  readonly #key: string;
  readonly #pause = new Pause();
  readonly #ending = new AbortController();
  readonly #loop: Promise<void>;
  #lock: ProcessLock | undefined;
  #spool: ExportedSpool | undefined;
  #state: ExporterStatus["state"] = "waiting";
  #failed = 0;
  #failures = 0;
  #isClosing = false;

  constructor(options: ExporterOptions) {
    this.#options = options;
    this.#key = exportKey(options.config);
    this.#loop = this.#run();
  }

  get status(): ExporterStatus {
    const { sink, clock } = this.#options;
    const { oldestMs, pendingBytes = 0, exported = 0, dropped = 0 } = this.#spool?.standing ?? {};
    return {
      target: sink.name,
      state: this.#state,
      lagMs: oldestMs === undefined ? 0 : Math.max(0, clock.nowMs() - oldestMs),
      pendingBytes,
      exported,
      dropped,
      failures: this.#failures,
    };
  }

  /** Exports what it can within `graceMs`; call it when the writer is closed. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    this.#pause.endAll();
    const grace = sleep(graceMs, undefined, { ref: false });
    await Promise.race([this.#finish(), grace]);
    this.#ending.abort();
    await this.#lock?.release();
  }

  async #run(): Promise<void> {
    await this.#pause.wait(startDelayMs);
    while (!this.#isClosing) {
      if (this.#lock === undefined && !(await this.#takeOver())) {
        await this.#pause.wait(standbyMs);
        continue;
      }
      await this.#pause.wait(await this.#attempt());
    }
  }

  async #finish(): Promise<void> {
    await this.#loop;
    if (this.#failed > 0 || (this.#lock === undefined && !(await this.#takeOver()))) return;
    while (!this.#ending.signal.aborted && (await this.#attempt()) === 0);
  }

  /** Whether this gateway is the one that exports; what it knew of places is then read anew. */
  async #takeOver(): Promise<boolean> {
    const { spool, clock, log } = this.#options;
    try {
      const folder = join(spool, `.export-${this.#key}`);
      const attempt = await acquireProcessLock(folder, { clock, waitMs: 0 });
      this.#state = attempt.ok ? "waiting" : "standby";
      if (!attempt.ok) return false;
      if (this.#ending.signal.aborted) {
        await attempt.lock.release();
        return false;
      }
      this.#lock = attempt.lock;
      this.#spool = new ExportedSpool({ ...this.#options, key: this.#key });
      return true;
    } catch (thrown) {
      log.warn({ reason: messageOf(thrown) }, "export cannot be locked");
      return false;
    }
  }

  /** Resolves to how long to wait before the next one: 0 where there is more. */
  async #attempt(): Promise<number> {
    const { minDelayMs } = this.#options.config;
    this.#state = this.#failed === 0 ? "exporting" : this.#state;
    try {
      const hasMore = (await this.#spool?.exportRound(this.#ending.signal)) ?? false;
      this.#succeed();
      return hasMore ? 0 : minDelayMs;
    } catch (thrown) {
      if (!this.#ending.signal.aborted) this.#fail(thrown);
      return this.#backoffMs();
    }
  }

  #succeed(): void {
    const { log, sink } = this.#options;
    if (this.#failed > 0) log.info({ target: sink.name }, "export target is back");
    this.#failed = 0;
    this.#state = "waiting";
  }

  #fail(thrown: unknown): void {
    const { log, sink } = this.#options;
    this.#failed += 1;
    this.#failures += 1;
    this.#state = "away";
    const code = codeOf(thrown) ?? "unknown";
    const found = { target: sink.name, code, reason: messageOf(thrown), attempt: this.#failed };
    if (this.#failed > 1) return log.debug(found, "export target is still away");
    log.warn(found, "export target is away, decisions wait in the spool");
  }

  /** Doubles up to the longest delay, with jitter against herds. */
  #backoffMs(): number {
    const { minDelayMs, maxDelayMs } = this.#options.config;
    const full = Math.min(maxDelayMs, minDelayMs * 2 ** Math.max(0, this.#failed - 1));
    return full * (0.5 + Math.random() / 2);
  }
}
