/**
 * One canary of this gateway: whom its bundle is asked about, and its end. It is out at once where it
 * does too much harm, for every principal of this process, and as soon as that is kept for every
 * gateway of the state folder. It comes back with another bundle, or when somebody resumes it.
 */
import type { CanaryConfig } from "../../config/config.ts";
import type { PolicyPlace } from "../../config/policy-places.ts";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { Digest } from "../../contract/bundle.ts";
import type { Principal } from "../../contract/principal.ts";
import { messageOf } from "../../errors.ts";
import type { CanaryEvaluation } from "./canary-window.ts";
import { CanaryWindow } from "./canary-window.ts";
import type { Draw } from "./draw-principal.ts";
import { drawPrincipal } from "./draw-principal.ts";

/** The end of a canary. */
export interface CanaryAbort {
  /** Of the bundle that is out. */
  readonly digest: Digest;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  /** With the figures. */
  readonly why: string;
}

/** Where it is kept which canaries are out, for every gateway of a state folder. */
export interface CanaryAborts {
  /** Digest of the bundle that is out; rejects where nobody can tell. */
  readonly read: (place: CanaryPlace) => Promise<string | undefined>;
  /** Keeps it and puts it on record; rejects where that failed, and is asked again then. */
  readonly keep: (place: CanaryPlace, abort: CanaryAbort) => Promise<void>;
}

export type CanaryPlace = Pick<PolicyPlace, "name" | "base" | "kind"> & {
  readonly reference: string;
};

export interface RunningCanaryOptions {
  readonly place: CanaryPlace;
  readonly setting: Omit<CanaryConfig, "policy">;
  /** Digest of its active bundle; `undefined` where there is none. */
  readonly digest: () => Digest | undefined;
  /** Shared by all gateways that are to draw the same. */
  readonly key: () => Buffer;
  readonly aborts: CanaryAborts;
  /** It is asked about others than before, or about nobody. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

export class RunningCanary {
  readonly #options: RunningCanaryOptions;
  #window: { readonly digest: string; readonly counts: CanaryWindow } | undefined;
  /** Set when it is known what is out; before that nobody is asked. */
  #key: Buffer | undefined;
  #out: string | undefined;
  /** Out here, and not kept yet. */
  #unkept: CanaryAbort | undefined;
  #isTold = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: RunningCanaryOptions) {
    this.#options = options;
  }

  get place(): CanaryPlace {
    return this.#options.place;
  }

  /** The draw of a principal that it is asked about; `undefined`: its layer decides alone. */
  draw(principal: Principal): Draw | undefined {
    const { digest: digestNow, place, setting } = this.#options;
    const key = this.#key;
    const digest = digestNow();
    if (key === undefined || digest === undefined || digest === this.#out) return undefined;
    const draw = drawPrincipal(key, { place: place.name, digest }, principal);
    return draw.at < setting.percent ? draw : undefined;
  }

  /** Counts one evaluation of this bundle; that of another is no matter any more. */
  add(evaluated: string, evaluation: CanaryEvaluation): void {
    const { clock, digest: digestNow, setting } = this.#options;
    const digest = digestNow();
    if (digest === undefined || digest !== evaluated || digest === this.#out) return;
    if (this.#window?.digest !== digest) {
      this.#window = { digest, counts: new CanaryWindow(setting.abort) };
    }
    const why = this.#window.counts.add(evaluation, clock.monotonicMs());
    if (why !== undefined) this.#abort({ digest, timeMs: clock.nowMs(), why });
  }

  /** Looks what others decided, and keeps what was not kept; never rejects. */
  look(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#lookNow());
    return this.#turn;
  }

  #abort(abort: CanaryAbort): void {
    const { log, onChange, place } = this.#options;
    const { digest, why: reason } = abort;
    this.#unkept = abort;
    this.#setOut(digest);
    log.error({ layer: place.name, digest, reason }, "canary aborted; its layer decides alone");
    onChange();
    void this.look();
  }

  async #lookNow(): Promise<void> {
    const { aborts, log, onChange, place } = this.#options;
    try {
      const unkept = this.#unkept;
      if (unkept !== undefined) await aborts.keep(place, unkept);
      // Another bundle may have been aborted meanwhile.
      if (this.#unkept === unkept) this.#unkept = undefined;
      const out = await aborts.read(place);
      // It was aborted here while that was read.
      if (this.#unkept !== undefined) return;
      this.#isTold = false;
      const isNews = this.#key === undefined || out !== this.#out;
      this.#key ??= this.#options.key();
      if (!isNews) return;
      this.#setOut(out);
      onChange();
    } catch (thrown) {
      const found = { layer: place.name, reason: messageOf(thrown) };
      if (!this.#isTold) log.error(found, "whether a canary is out is not known");
      this.#isTold = true;
    }
  }

  #setOut(digest: string | undefined): void {
    this.#out = digest;
    this.#window = undefined;
  }
}
