/**
 * The queue in front of one writer's segments. Records that arrive while `fdatasync` runs form the
 * next batch (natural group commit, no timer), and a waiting record resolves only once its batch is
 * on the disk. Where a batch fails, whoever waits is refused; records nobody waits for are kept for
 * the next attempt, up to a bound, and counted when lost.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Log } from "../../contract/ambient.ts";
import { messageOf } from "../../errors.ts";
import { DecisionError } from "../decision-error.ts";
import { firstLink } from "../integrity/chain-link.ts";
import { envelop } from "../integrity/envelope.ts";
import type { ChainHead, EncodedRecord, Enveloped } from "../integrity/envelope.ts";
import { Pause } from "../pause.ts";
import type { SpoolPosition } from "./committed-mark.ts";
import type { SpoolFileSystem } from "./file-system.ts";
import { encodeFrames } from "./frame.ts";
import { SegmentChain } from "./segment-chain.ts";
import { DiskRoom, spoolFull } from "./spool-limits.ts";
import type { SpoolLimits } from "./spool-limits.ts";

const batchMaxCharacters = 4 * 1024 * 1024;
const keptMaxRecords = 10_000;

export interface SpoolWriterOptions {
  readonly files: SpoolFileSystem;
  /** The writer's own folder; exists and is held by this process. */
  readonly folder: string;
  readonly writer: string;
  readonly limits: SpoolLimits;
  readonly log: Log;
  /** Milliseconds that records nobody waits for may stay in memory; 0 commits at once. */
  readonly flushDelayMs: number;
  /** Bytes of this spool that no store has yet; 0 where the spool itself is the store. */
  readonly unshippedBytes: () => number;
  /** Called after each commit, and when a segment was ended. */
  readonly onCommit: () => void;
}

export interface SpoolCounts {
  readonly committedRecords: number;
  readonly committedBytes: number;
  readonly lostRecords: number;
}

interface Pending {
  readonly record: EncodedRecord;
  /** `undefined`: nobody waits. */
  readonly settled: ((error: DecisionError | undefined) => void) | undefined;
}

/** Opened by its constructor without I/O; the first record creates the first segment. */
export class SpoolWriter {
  readonly #options: SpoolWriterOptions;
  readonly #chain: SegmentChain;
  readonly #room: DiskRoom;
  readonly #pause = new Pause();
  #head: ChainHead;
  #pending: Pending[] = [];
  #running: Promise<void> | undefined;
  #isSegmentEnding = false;
  #counts: SpoolCounts = { committedRecords: 0, committedBytes: 0, lostRecords: 0 };
  #failure: DecisionError | undefined;

  constructor(options: SpoolWriterOptions) {
    this.#options = options;
    this.#head = { seq: 0, link: firstLink(options.writer) };
    this.#chain = new SegmentChain({ ...options, segmentMaxBytes: options.limits.segmentMaxBytes });
    this.#room = new DiskRoom(options.files, options.folder, options.limits.minFreeBytes);
  }

  /** Everything before it is on the disk. */
  get committed(): SpoolPosition {
    return this.#chain.committed;
  }

  get counts(): SpoolCounts {
    return this.#counts;
  }

  /** Why the last commit failed; `undefined` after one that did not. */
  get failure(): DecisionError | undefined {
    return this.#failure;
  }

  /** The last committed record. */
  get head(): ChainHead {
    return this.#head;
  }

  /** Whether `commit` would refuse the record for its size. */
  isTooLarge({ text }: EncodedRecord): boolean {
    return Buffer.byteLength(text) > this.#options.limits.recordMaxBytes;
  }

  /** Resolves once the record is on the disk; rejects with `audit_unavailable`. */
  commit(record: EncodedRecord): Promise<void> {
    if (this.isTooLarge(record)) {
      const { recordMaxBytes } = this.#options.limits;
      return Promise.reject(tooLarge(Buffer.byteLength(record.text), recordMaxBytes));
    }
    return new Promise((resolve, reject) => {
      this.#pending.push({ record, settled: (error) => (error ? reject(error) : resolve()) });
      this.#pause.cut();
      this.#start();
    });
  }

  /** Appends a record that nobody waits for. */
  append(record: EncodedRecord): void {
    this.#pending.push({ record, settled: undefined });
    this.#start();
  }

  /** Ends the open segment before the next batch: what stands in it can then go when its time has come. */
  endSegment(): void {
    this.#isSegmentEnding = true;
    this.#start();
  }

  /** Commits what is pending and seals; what cannot be committed is counted as lost. */
  async close(): Promise<void> {
    this.#pause.endAll();
    await this.#running;
    if (this.#pending.length > 0) this.#start();
    await this.#running;
    this.#lose(this.#pending.splice(0).length);
    await this.#chain.close();
  }

  #start(): void {
    this.#running ??= this.#run();
  }

  /** Ends, in the same turn in which it finds nothing pending, so that no record is overlooked. */
  async #run(): Promise<void> {
    try {
      while (this.#pending.length > 0 || this.#isSegmentEnding) {
        await nextTurn();
        if (this.#isSegmentEnding) {
          await this.#endSegment();
          continue;
        }
        if (!this.#isAnybodyWaiting()) await this.#pause.wait(this.#options.flushDelayMs);
        const batch = this.#takeBatch();
        this.#failure = await this.#commitBatch(batch);
        for (const record of batch) record.settled?.(this.#failure);
        if (this.#failure !== undefined) this.#keep(batch);
        if (this.#failure !== undefined && !this.#isAnybodyWaiting()) return;
      }
    } finally {
      this.#running = undefined;
    }
  }

  async #endSegment(): Promise<void> {
    this.#isSegmentEnding = false;
    if (await this.#chain.endSegment()) this.#options.onCommit();
  }

  #isAnybodyWaiting(): boolean {
    return this.#pending.some((record) => record.settled !== undefined);
  }

  #takeBatch(): readonly Pending[] {
    let characters = 0;
    const end = this.#pending.findIndex(({ record }, index) => {
      characters += record.text.length;
      return index > 0 && characters > batchMaxCharacters;
    });
    return this.#pending.splice(0, end < 0 ? this.#pending.length : end);
  }

  async #commitBatch(batch: readonly Pending[]): Promise<DecisionError | undefined> {
    try {
      const chained = this.#chained(batch);
      const frames = encodeFrames(chained.map(({ text }) => text));
      await this.#checkRoom(frames.length);
      await this.#chain.commit(frames);
      this.#head = chained.at(-1) ?? this.#head;
      this.#count(batch.length, frames.length);
      return undefined;
    } catch (thrown) {
      return asUnavailable(thrown, this.#options.folder);
    }
  }

  /** Places in the chain are given at commit, so that a refused record leaves no gap. */
  #chained(batch: readonly Pending[]): readonly Enveloped[] {
    let head = this.#head;
    return batch.map(({ record }) => {
      const enveloped = envelop(this.#options.writer, head, record);
      head = enveloped;
      return enveloped;
    });
  }

  async #checkRoom(bytes: number): Promise<void> {
    const unshipped = this.#options.unshippedBytes();
    const { spoolMaxBytes } = this.#options.limits;
    if (unshipped + bytes > spoolMaxBytes) throw spoolFull(unshipped, spoolMaxBytes);
    await this.#room.reserve(bytes);
  }

  #count(records: number, bytes: number): void {
    const { committedRecords, committedBytes, lostRecords } = this.#counts;
    this.#counts = {
      committedRecords: committedRecords + records,
      committedBytes: committedBytes + bytes,
      lostRecords,
    };
    this.#options.onCommit();
  }

  /** Puts records nobody waited for back for the next attempt, the oldest going first when full. */
  #keep(batch: readonly Pending[]): void {
    const kept = batch.filter((record) => record.settled === undefined);
    const room = Math.max(0, keptMaxRecords - this.#pending.length);
    this.#lose(kept.length - Math.min(kept.length, room));
    this.#pending.unshift(...kept.slice(kept.length - Math.min(kept.length, room)));
  }

  #lose(records: number): void {
    if (records === 0) return;
    const lostRecords = this.#counts.lostRecords + records;
    this.#counts = { ...this.#counts, lostRecords };
    this.#options.log.error({ lost: records, total: lostRecords }, "outcome records lost");
  }
}

function asUnavailable(thrown: unknown, folder: string): DecisionError {
  if (thrown instanceof DecisionError) return thrown;
  return new DecisionError(
    "audit_unavailable",
    `expected to write the decision record to ${folder}, found: ${messageOf(thrown)}; check free space and health of that disk, calls go on by themselves`,
    { cause: thrown },
  );
}

function tooLarge(bytes: number, maxBytes: number): DecisionError {
  return new DecisionError(
    "record_too_large",
    `expected a decision record of at most ${maxBytes} bytes, found ${bytes}: the call is too large to be recorded`,
  );
}
