/**
 * Makes the checkpoints of one writer: every so often, and when it ends, of what is in the store by
 * then. One that cannot be written is told and tried again: decisions do not wait for it, and what
 * it would have said stays unproven until it is there.
 */
import { createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { Clock, Log } from "../../contract/ambient.ts";
import { messageOf } from "../../errors.ts";
import { toTimestamp } from "../to-timestamp.ts";
import { keyIdOf, sha256OfLine, signCheckpoint } from "./checkpoint.ts";
import { CheckpointFile, lastPlaces } from "./checkpoint-file.ts";
import type { ChainHead } from "./envelope.ts";

const lookEveryMs = 1000;
/** Of other writers, the newest. */
const othersMax = 100;
/** After so long all of them are named again; in between those whose place is another one. */
const allEveryMs = 60 * 60_000;

/** A place in the spool, with where the chain stands there. */
export interface CheckpointCandidate<Position> {
  readonly head: ChainHead;
  readonly position: Position;
}

export interface CheckpointKeeperOptions<Position> {
  readonly folder: string;
  readonly writer: string;
  /** Resolves to the private key; asked with the first checkpoint. */
  readonly key: () => Promise<KeyObject>;
  readonly everyMs: number;
  /** What is committed. */
  readonly committed: () => CheckpointCandidate<Position>;
  /** Whether everything before it is in the store. */
  readonly isStored: (position: Position) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Runs from its construction until `close`. */
export class CheckpointKeeper<Position> {
  readonly #options: CheckpointKeeperOptions<Position>;
  readonly #file: CheckpointFile;
  readonly #timer: NodeJS.Timeout;
  #candidate: CheckpointCandidate<Position> | undefined;
  #stated = 0;
  #statedAtMs: number;
  #lastLine: string | undefined;
  #named: Readonly<Record<string, number>> = {};
  #namedAllAtMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();

  constructor(options: CheckpointKeeperOptions<Position>) {
    this.#options = options;
    this.#file = new CheckpointFile(options.folder, options.writer);
    this.#statedAtMs = options.clock.monotonicMs();
    this.#timer = setInterval(() => this.#look(), lookEveryMs).unref();
  }

  /** States where the chain ends, if all of it is in the store. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    const last = this.#options.committed();
    const isLeft = last.head.seq > 0 && this.#options.isStored(last.position);
    if (isLeft) await this.#state(last.head, true);
    await this.#file.close();
  }

  #look(): void {
    const { clock, committed, everyMs, isStored } = this.#options;
    const isDue = clock.monotonicMs() - this.#statedAtMs >= everyMs;
    if (this.#candidate === undefined && isDue) {
      const now = committed();
      if (now.head.seq > this.#stated) this.#candidate = now;
    }
    const candidate = this.#candidate;
    if (candidate === undefined || !isStored(candidate.position)) return;
    this.#candidate = undefined;
    this.#running = this.#running.then(() => this.#state(candidate.head, false));
  }

  async #state({ seq, link }: ChainHead, final: boolean): Promise<void> {
    const { folder, writer, clock, log } = this.#options;
    try {
      const key = await this.#options.key();
      const places = await lastPlaces(folder, othersMax, createPublicKey(key));
      const { [writer]: _own, ...others } = places;
      const nowMs = clock.monotonicMs();
      const isAll = nowMs - this.#namedAllAtMs >= allEveryMs;
      const line = signCheckpoint(
        {
          version: 1,
          writer,
          seq,
          link,
          time: toTimestamp(clock.nowMs()),
          previous: this.#lastLine === undefined ? null : sha256OfLine(this.#lastLine),
          final,
          others: isAll ? others : changedSince(this.#named, others),
          key: keyIdOf(key),
        },
        key,
      );
      await this.#file.append(line);
      this.#lastLine = line;
      this.#named = others;
      if (isAll) this.#namedAllAtMs = nowMs;
      this.#stated = seq;
      this.#statedAtMs = clock.monotonicMs();
    } catch (thrown) {
      log.warn(
        { folder, reason: messageOf(thrown) },
        "checkpoint of the decision record not written",
      );
    }
  }
}

function changedSince(
  before: Readonly<Record<string, number>>,
  places: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(places).filter(([name, seq]) => before[name] !== seq));
}
