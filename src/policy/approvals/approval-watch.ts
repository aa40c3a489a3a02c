/**
 * Waits for what people decide, wherever they do: one look at the store for all calls that wait in
 * this process, again and again, and at once where the decision was made in it.
 */
import { messageOf } from "../../errors.ts";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { Approval } from "./approval.ts";
import { statusAt } from "./approval.ts";
import type { ApprovalStore } from "./approval-store.ts";

export interface ApprovalWatchOptions {
  readonly store: Pick<ApprovalStore, "read">;
  readonly clock: Clock;
  readonly log: Log;
  /** Between two looks. */
  readonly everyMs: number;
}

type Hear = (approval: Approval) => void;

export class ApprovalWatch {
  readonly #options: ApprovalWatchOptions;
  readonly #waiting = new Map<string, Set<Hear>>();
  #timer: NodeJS.Timeout | undefined;
  #isAway = false;

  constructor(options: ApprovalWatchOptions) {
    this.#options = options;
  }

  /** How many in this process wait for this one. */
  waitingFor(id: string): number {
    return this.#waiting.get(id)?.size ?? 0;
  }

  /** Resolves when it waits no more; with `undefined` when `signal` aborts before. */
  async settled(id: string, signal: AbortSignal): Promise<Approval | undefined> {
    if (signal.aborted) return undefined;
    return await new Promise((resolve) => {
      const end = (approval: Approval | undefined): void => {
        signal.removeEventListener("abort", giveUp);
        this.#forget(id, hear);
        resolve(approval);
      };
      const hear: Hear = (approval) => {
        const { clock } = this.#options;
        if (statusAt(approval, clock.nowMs()) !== "pending") end(approval);
      };
      const giveUp = (): void => end(undefined);
      signal.addEventListener("abort", giveUp, { once: true });
      const hearers = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, hearers.add(hear));
      this.#lookSoon();
    });
  }

  /** Tells whoever waits for it. */
  tell(approval: Approval): void {
    for (const hear of this.#waiting.get(approval.id) ?? []) hear(approval);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.clear();
  }

  #lookSoon(): void {
    if (this.#timer !== undefined || this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => void this.#look(), this.#options.everyMs);
  }

  async #look(): Promise<void> {
    const { store, log } = this.#options;
    try {
      for (const approval of await store.read([...this.#waiting.keys()])) this.tell(approval);
      this.#isAway = false;
    } catch (thrown) {
      if (!this.#isAway) log.warn({ reason: messageOf(thrown) }, "approvals cannot be read");
      this.#isAway = true;
    }
    this.#timer = undefined;
    this.#lookSoon();
  }

  #forget(id: string, hear: Hear): void {
    const hearers = this.#waiting.get(id);
    hearers?.delete(hear);
    if (hearers?.size === 0) this.#waiting.delete(id);
  }
}
