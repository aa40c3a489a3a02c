/**
 * One round of an export over all writers of a spool, and what it knows of them. A writer whose spool
 * cannot be read is said once and left out, so that it holds up nobody else; where a target is away
 * for so long that too much would wait, the oldest closed segments are given up, counted and said.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { ExportConfig } from "../../config/decisions-config.ts";
import type { Clock, Log } from "../../contract/ambient.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { readMembers } from "../record-header.ts";
import type { SpoolPosition } from "../spool/committed-mark.ts";
import { readCommittedMark } from "../spool/committed-mark.ts";
import { segmentName } from "../spool/segment.ts";
import { isWriterAlive, listSegments, listWriters } from "../spool/writer-folder.ts";
import type { EventSink, RefusedLine } from "./event-sink.ts";
import type { ExportedPlace } from "./exported-place.ts";
import { readPlace, writePlace } from "./exported-place.ts";
import type { Batch, BatchSource } from "./next-batch.ts";
import { nextBatch } from "./next-batch.ts";
import { opaEvent } from "./opa-event.ts";

export interface ExportedSpoolOptions {
  readonly config: ExportConfig;
  readonly key: string;
  readonly sink: EventSink;
  readonly spool: string;
  readonly writer: string;
  readonly committed: () => SpoolPosition;
  readonly bufferMaxBytes: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ExportStanding {
  /** When the oldest line was recorded that was offered and not taken. */
  readonly oldestMs: number | undefined;
  readonly pendingBytes: number;
  readonly exported: number;
  readonly dropped: number;
}

interface Dropped {
  readonly writer: string;
  readonly records: number;
  /** The last of them in the writer's chain, where it is known. */
  readonly upTo?: number;
  /** Of one event. */
  readonly decision_id?: string | null;
  /** That it was refused with. */
  readonly status?: number | undefined;
}

const formats = { opa: opaEvent, jsonl: (text: string): string | undefined => text } as const;

const doneForMs = 10 * 60_000;

/** Used by one loop at a time. */
export class ExportedSpool {
  readonly #options: ExportedSpoolOptions;
  readonly #places = new Map<string, ExportedPlace>();
  /** Ended and exported; looked at again after a while, for whoever was only out of sight. */
  readonly #done = new Set<string>();
  readonly #unreadable = new Set<string>();
  #forgetAtMs = 0;
  #standing: ExportStanding = { oldestMs: undefined, pendingBytes: 0, exported: 0, dropped: 0 };

  constructor(options: ExportedSpoolOptions) {
    this.#options = options;
  }

  get standing(): ExportStanding {
    return this.#standing;
  }

  /** Exports a batch of each writer; whether there is more. Throws what the target throws. */
  async exportRound(signal: AbortSignal): Promise<boolean> {
    const writers = await this.#writers();
    await this.#keepWithin(writers);
    let hasMore = false;
    for (const writer of writers) {
      if (signal.aborted) return false;
      if (await this.#exportBatch(writer, signal)) hasMore = true;
    }
    if (!hasMore) this.#stand({ pendingBytes: 0 });
    return hasMore;
  }

  async #writers(): Promise<readonly string[]> {
    const { spool, clock } = this.#options;
    if (clock.monotonicMs() >= this.#forgetAtMs) {
      this.#done.clear();
      this.#forgetAtMs = clock.monotonicMs() + doneForMs;
    }
    const writers = await listWriters(spool);
    return writers.filter((writer) => !this.#done.has(writer) && !this.#unreadable.has(writer));
  }

  async #exportBatch(writer: string, signal: AbortSignal): Promise<boolean> {
    const { sink, config, log } = this.#options;
    const shape = { lineOf: formats[config.format], maxBytes: config.uploadSizeLimitBytes };
    const source = await this.#sourceOf(writer);
    const batch = await this.#reading(writer, () => nextBatch(source, shape));
    if (batch === undefined) return false;
    const { lines, missing, oldestMs, isLast } = batch;
    if (missing > 0) this.#drop({ writer, records: missing }, "records to export are gone");
    if (lines.length > 0) {
      this.#stand({ oldestMs });
      const refused = await sink.take(lines, signal);
      const exported = this.#standing.exported + lines.length - refused.length;
      this.#stand({ oldestMs: undefined, exported });
      for (const one of refused) this.#dropRefused(writer, one);
    }
    log.debug({ writer, events: lines.length }, "decisions exported");
    await this.#reach(source, writer, batch);
    if (isLast && source.upTo === undefined) this.#done.add(writer);
    return !isLast;
  }

  async #sourceOf(writer: string): Promise<BatchSource> {
    const { spool, key, clock, committed, writer: own } = this.#options;
    const folder = join(spool, writer);
    // Whether it lives is asked before how far it came: what it wrote last then counts in any case.
    const isAlive = writer !== own && (await isWriterAlive(folder, clock));
    const upTo =
      writer === own ? committed() : isAlive ? await readCommittedMark(folder) : undefined;
    const from = this.#places.get(writer) ?? (await readPlace(folder, key));
    return { folder, from, upTo };
  }

  /** `undefined` where the writer's spool is gone or cannot be read. */
  async #reading<Result>(writer: string, read: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await read();
    } catch (thrown) {
      if (codeOf(thrown) === "ENOENT") return undefined;
      const found = { writer, code: codeOf(thrown), reason: messageOf(thrown) };
      this.#options.log.error(found, "spool cannot be read for its export");
      this.#unreadable.add(writer);
      return undefined;
    }
  }

  async #reach({ folder, from }: BatchSource, writer: string, { reached }: Batch): Promise<void> {
    this.#places.set(writer, reached);
    if (reached.segment === from.segment && reached.offset === from.offset) return;
    try {
      await writePlace(folder, this.#options.key, reached);
    } catch (thrown) {
      // Its folder is gone: there is nothing to go on with.
      if (codeOf(thrown) !== "ENOENT") throw thrown;
    }
  }

  async #keepWithin(writers: readonly string[]): Promise<void> {
    const { bufferMaxBytes = Number.POSITIVE_INFINITY } = this.#options;
    let pending = 0;
    const sources: { readonly writer: string; readonly source: BatchSource }[] = [];
    for (const writer of writers) {
      const source = await this.#reading(writer, () => this.#sourceOf(writer));
      if (source === undefined) continue;
      sources.push({ writer, source });
      pending += await pendingBytes(source);
    }
    for (const { writer, source } of sources) {
      if (pending > bufferMaxBytes) pending -= await this.#giveUp(writer, source, pending);
    }
    this.#stand({ pendingBytes: pending });
  }

  /** Gives up closed segments of a writer, oldest first, while there is too much; the bytes of them. */
  async #giveUp(writer: string, source: BatchSource, pending: number): Promise<number> {
    const { bufferMaxBytes = Number.POSITIVE_INFINITY, key } = this.#options;
    let bytes = 0;
    let from = source.from;
    for (const segment of await listSegments(source.folder)) {
      if (segment < from.segment || pending - bytes <= bufferMaxBytes) continue;
      if (source.upTo !== undefined && segment >= source.upTo.segment) break;
      const upTo = { segment: segment + 1, offset: 0 };
      const part = { folder: source.folder, from, upTo };
      const found = await this.#reading(writer, () => nextBatch(part, passedOver));
      if (found === undefined) break;
      bytes += await pendingBytes(part);
      from = { ...upTo, seq: found.reached.seq };
      this.#places.set(writer, from);
      await writePlace(source.folder, key, from);
      const records = found.records + found.missing;
      this.#drop(
        { writer, records, upTo: from.seq },
        "records given up, too much waits for the export",
      );
    }
    return bytes;
  }

  #dropRefused(writer: string, { line, status }: RefusedLine): void {
    const id = readMembers(line)?.["decision_id"];
    const found = { writer, records: 1, decision_id: typeof id === "string" ? id : null, status };
    const isTooLarge = status === 413;
    this.#drop(
      found,
      isTooLarge ? "event too large for the target" : "event refused by the target",
    );
  }

  #drop(found: Dropped, message: string): void {
    this.#stand({ dropped: this.#standing.dropped + found.records });
    this.#options.log.error({ ...found, target: this.#options.sink.name }, message);
  }

  #stand(changes: Partial<ExportStanding>): void {
    this.#standing = { ...this.#standing, ...changes };
  }
}

const passedOver = { lineOf: (): undefined => undefined, maxBytes: 0 } as const;

/** Bytes of the writer's segments behind its place, as far as they count. */
async function pendingBytes({ folder, from, upTo }: BatchSource): Promise<number> {
  let bytes = 0;
  for (const segment of await listSegments(folder)) {
    if (segment < from.segment || (upTo !== undefined && segment > upTo.segment)) continue;
    const found = await stat(join(folder, segmentName(segment))).catch(() => undefined);
    const end = segment === upTo?.segment ? upTo.offset : (found?.size ?? 0);
    bytes += Math.max(0, end - (segment === from.segment ? from.offset : 0));
  }
  return bytes;
}
