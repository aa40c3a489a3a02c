/**
 * Keeps one layer's bundle where the lock has it, whatever the lock becomes: each other lock is kept
 * to by another keeper, and the bundle of the one before decides until the next one is active. One
 * that the lock forbids now, and in whose place nothing came, is taken away.
 */
import type { Log } from "../../contract/ambient.ts";
import type { Bundle, BundleActivation, BundleChange } from "../../contract/bundle.ts";
import { isWithinLock } from "../life/check-locked.ts";
import { lossOf } from "../../contract/place-role.ts";
import type { SourceLock } from "./match-lock.ts";

/** A keeper under one lock. */
interface LockedKeeper {
  readonly start: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What a keeper does with what it has. */
export interface KeeperHands {
  readonly activate: (bundle: Bundle | undefined) => Promise<BundleActivation>;
  readonly record: (change: BundleChange) => Promise<void>;
}

export interface RelockingOptions {
  readonly layer: string;
  readonly lock: SourceLock | undefined;
  readonly hands: KeeperHands;
  readonly open: (lock: SourceLock | undefined, hands: KeeperHands) => Promise<LockedKeeper>;
  readonly log: Log;
}

/** Opened by `start`; `close` ends the keeper of the moment. */
export class RelockingKeeper {
  readonly #options: RelockingOptions;
  #lock: SourceLock | undefined;
  #keeper: LockedKeeper | undefined;
  #active: Bundle | undefined;
  #isClosed = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: RelockingOptions) {
    this.#options = options;
    this.#lock = options.lock;
  }

  /** Resolves when a bundle is active, or none can be had for now; rejects where none ever can. */
  async start(): Promise<void> {
    await this.#take(() => this.#open());
  }

  /** Keeps to another lock from now on; resolves when its bundle is active, or cannot be had. */
  async relock(lock: SourceLock | undefined): Promise<void> {
    if (JSON.stringify(lock) === JSON.stringify(this.#lock)) return;
    this.#lock = lock;
    await this.#take(async () => {
      await this.#keeper?.close();
      try {
        await this.#open();
      } finally {
        await this.#withdrawForbidden();
      }
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#turn;
    await this.#keeper?.close();
  }

  /** One step at a time; whoever asked for it hears how it went. */
  async #take(step: () => Promise<void>): Promise<void> {
    const taken = this.#turn.then(async () => {
      if (!this.#isClosed) await step();
    });
    this.#turn = taken.catch(() => undefined);
    await taken;
  }

  async #open(): Promise<void> {
    const { hands, open } = this.#options;
    this.#keeper = await open(this.#lock, {
      record: hands.record,
      activate: (bundle) => this.#activate(bundle),
    });
    await this.#keeper.start();
  }

  async #activate(bundle: Bundle | undefined): Promise<BundleActivation> {
    const activation = await this.#options.hands.activate(bundle);
    if (activation.ok) this.#active = bundle;
    return activation;
  }

  async #withdrawForbidden(): Promise<void> {
    const active = this.#active;
    if (active === undefined || this.#lock === undefined) return;
    if (isWithinLock(this.#lock, active)) return;
    const { hands, layer, log } = this.#options;
    const code = "bundle_release_mismatch";
    const activation = await this.#activate(undefined);
    if (!activation.ok) {
      return log.error({ layer, code, reason: activation.message }, "policy not withdrawn");
    }
    log.error(
      { layer, code, consequence: lossOf(layer) },
      "policy bundle withdrawn: the lock has another",
    );
    const { digest: previous } = active;
    const nothing = { digest: undefined, revision: "", why: null, signers: [] };
    await hands.record({ event: "withdrawn", previous, by: "gateway", code, ...nothing });
  }
}
