/**
 * Keeps one layer's bundle up to date: asks its source on its own cadence and has what is new made
 * active, while the old one answers. Whatever fails leaves the old one where it is. A start without
 * the source takes the last good bundle, verified again. What a person chose or revoked goes before
 * what the source has, and is seen within half a second.
 */
import { messageOf } from "../../errors.ts";
import { historyStamp, readHistory } from "./bundle-history.ts";
import { followChoice, isRetryDue, isStale, useLastGood } from "./follow-choice.ts";
import { followSource } from "./follow-source.ts";
import type { KeeperDeps, KeeperOptions, Keeping } from "./keeping.ts";
import { decisionsIn, historyNow } from "./keeping.ts";
import { nextDelayMs } from "./poll-delay.ts";
import { withdraw } from "./use-candidate.ts";

/** How soon a command of somebody else is seen. */
const watchMs = 400;
/** How long a start waits for a source where there is a last good bundle. */
const patienceMs = 3000;

/** One bundle's keeper; `close` ends its asking. */
export class BundleKeeper {
  readonly #keeping: Keeping;
  readonly #closing = new AbortController();
  #turn: Promise<void> = Promise.resolve();
  /** Ends the asking of a source that is under way. */
  #asking: AbortController | undefined;
  #isLooking = false;
  #pollTimer: NodeJS.Timeout | undefined;
  #watchTimer: NodeJS.Timeout | undefined;
  #unwatch: (() => void) | undefined;

  constructor(options: KeeperOptions, deps: KeeperDeps) {
    const state = {
      active: undefined,
      known: undefined,
      isWithdrawn: false,
      failures: 0,
      askAgainMs: undefined,
      heardMs: -Infinity,
      stamp: "",
      decisions: "",
      followed: "",
      retry: undefined,
    };
    this.#keeping = { options, deps, state, signal: this.#closing.signal };
  }

  /** Resolves when a bundle is active, or none can be had for now; never rejects. */
  async start(): Promise<void> {
    await this.#take(async () => this.#begin());
    if (this.#closing.signal.aborted) return;
    const { source } = this.#keeping.options;
    this.#unwatch = source.watch?.(() => void this.refresh());
    this.#watchTimer = setInterval(() => void this.#look(), watchMs).unref();
    this.#schedule();
  }

  /** Asks the source now; resolves when what it has was dealt with. */
  async refresh(): Promise<void> {
    await this.#take(async () => this.#ask());
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#pollTimer);
    clearInterval(this.#watchTimer);
    this.#unwatch?.();
    await this.#turn;
    this.#keeping.options.source.close();
  }

  /** Where there is a last good bundle, nothing that a source does keeps it from being used. */
  async #begin(): Promise<void> {
    const keeping = this.#keeping;
    const history = await historyNow(keeping);
    await followChoice(keeping, history);
    if (keeping.state.active !== undefined) return;
    try {
      await this.#ask(history.active === null ? undefined : patienceMs);
    } finally {
      if (keeping.state.active === undefined) await useLastGood(keeping, await historyNow(keeping));
    }
  }

  /** Asks the source, for so long, or until somebody decides. */
  async #ask(limitMs?: number): Promise<void> {
    const asking = new AbortController();
    this.#asking = asking;
    const limits = [this.#closing.signal, asking.signal];
    if (limitMs !== undefined) limits.push(AbortSignal.timeout(limitMs));
    const signal = AbortSignal.any(limits);
    await followSource({ ...this.#keeping, signal });
    if (signal.aborted) this.#keeping.state.failures += 1;
  }

  /** One step at a time. A failure that is nobody's to deal with is told and changes nothing. */
  #take(step: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      if (this.#closing.signal.aborted) return;
      try {
        await step();
      } catch (thrown) {
        const { log } = this.#keeping.deps;
        const { layer } = this.#keeping.options.key;
        log.error({ layer, reason: messageOf(thrown) }, "policy bundle not kept up to date");
      }
    });
    return this.#turn;
  }

  #schedule(): void {
    const { deps, options, state } = this.#keeping;
    const { pollMs, source } = options;
    const isOver = source.isFixed && state.active !== undefined;
    if (pollMs === undefined || isOver || this.#closing.signal.aborted) return;
    const { failures, askAgainMs } = state;
    const delayMs = nextDelayMs({ pollMs, failures, askAgainMs, random: deps.random });
    this.#pollTimer = setTimeout(() => {
      void this.refresh().then(() => this.#schedule());
    }, delayMs).unref();
  }

  /** Another gateway or a command may have changed the history; time passes all the same. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#lookNow();
    } catch (thrown) {
      const { log } = this.#keeping.deps;
      const { layer } = this.#keeping.options.key;
      log.error({ layer, reason: messageOf(thrown) }, "history of a policy not read");
    } finally {
      this.#isLooking = false;
    }
  }

  async #lookNow(): Promise<void> {
    const { deps, options, state } = this.#keeping;
    const { key, maxStalenessMs } = options;
    const stamp = await historyStamp(deps.place, key);
    if (stamp !== state.stamp) {
      const isDecided = decisionsIn(await readHistory(deps.place, key)) !== state.decisions;
      // Nobody who decided waits for a source that takes its time.
      if (isDecided) this.#asking?.abort();
      if (isDecided) await this.#take(async () => this.#follow());
      else state.stamp = stamp;
    }
    if (isRetryDue(this.#keeping)) await this.#take(async () => this.#follow());
    const silentMs = deps.clock.monotonicMs() - state.heardMs;
    if (maxStalenessMs === undefined || silentMs <= maxStalenessMs) return;
    if (state.active === undefined || state.isWithdrawn) return;
    if (!isStale(this.#keeping, await readHistory(deps.place, key))) return;
    this.#asking?.abort();
    await this.#take(async () => this.#checkAge());
  }

  async #follow(): Promise<void> {
    const keeping = this.#keeping;
    const isFree = await followChoice(keeping, await historyNow(keeping));
    // Whoever looks does not wait for a source.
    if (isFree) void this.refresh();
  }

  async #checkAge(): Promise<void> {
    const keeping = this.#keeping;
    if (isStale(keeping, await historyNow(keeping))) await withdraw(keeping, "bundle_stale");
  }
}
