/**
 * What of a writer's spool is sent next: lines in the order in which they were written, as many as go
 * at once. It only reads. Turns of the event loop lie between, because calls are decided meanwhile.
 */
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { openEnvelope } from "../integrity/envelope.ts";
import { readMembers } from "../record-header.ts";
import type { SpoolPosition } from "../spool/committed-mark.ts";
import { readSegment } from "../spool/read-segment.ts";
import { segmentName } from "../spool/segment.ts";
import { listSegments } from "../spool/writer-folder.ts";
import type { ExportedPlace } from "./exported-place.ts";

const charactersPerTurn = 65_536;

export interface BatchSource {
  readonly folder: string;
  readonly from: ExportedPlace;
  /** Everything before it counts; `undefined` for an ended writer, whose every frame does. */
  readonly upTo: SpoolPosition | undefined;
}

export interface BatchShape {
  /** The line of a record; `undefined` where it has none. */
  readonly lineOf: (text: string) => string | undefined;
  /** Of lines; a larger line goes alone. */
  readonly maxBytes: number;
}

export interface Batch {
  readonly lines: readonly string[];
  /** Where the next one begins. */
  readonly reached: ExportedPlace;
  /** Records in it, those without a line included. */
  readonly records: number;
  /** Places of the chain between its records where nothing is. */
  readonly missing: number;
  /** When its first line was recorded, since the epoch. */
  readonly oldestMs: number | undefined;
  /** False where it ended because it is full. */
  readonly isLast: boolean;
}

/** Reads one; throws `spool_unusable`, and ENOENT where a segment was removed meanwhile. */
export async function nextBatch(
  source: BatchSource,
  { lineOf, maxBytes }: BatchShape,
): Promise<Batch> {
  const lines: string[] = [];
  const sum = { bytes: 0, records: 0, missing: 0 };
  let reached = source.from;
  let oldestMs: number | undefined;
  for await (const { text, end } of framesOf(source)) {
    const line = text === undefined ? undefined : lineOf(text.replace(/[\r\n]/g, " "));
    const bytes = line === undefined ? 0 : Buffer.byteLength(line) + 1;
    if (lines.length > 0 && sum.bytes + bytes > maxBytes) {
      return { lines, reached, ...sum, oldestMs, isLast: false };
    }
    const seq = text === undefined ? reached.seq : (openEnvelope(text)?.seq ?? reached.seq + 1);
    if (text !== undefined) sum.records += 1;
    if (reached.seq > 0) sum.missing += Math.max(0, seq - reached.seq - 1);
    reached = { ...end, seq };
    if (text === undefined || line === undefined) continue;
    oldestMs ??= timeOf(text);
    lines.push(line);
    sum.bytes += bytes;
  }
  return { lines, reached, ...sum, oldestMs, isLast: true };
}

interface SpooledFrame {
  /** `undefined` behind the last record of a segment. */
  readonly text: string | undefined;
  readonly end: SpoolPosition;
}

async function* framesOf({ folder, from, upTo }: BatchSource): AsyncGenerator<SpooledFrame> {
  let characters = 0;
  for (const segment of await listSegments(folder)) {
    if (segment < from.segment) continue;
    if (upTo !== undefined && segment > upTo.segment) return;
    const limit = segment === upTo?.segment ? upTo.offset : undefined;
    let offset = segment === from.segment ? from.offset : 0;
    for (;;) {
      const read = await readSegment(join(folder, segmentName(segment)), offset, limit);
      for (const { payload, end } of read.frames) {
        const text = payload.toString("utf8");
        characters += text.length;
        if (characters > charactersPerTurn) await nextTurn();
        if (characters > charactersPerTurn) characters = 0;
        yield { text, end: { segment, offset: end } };
      }
      offset = read.next;
      if (read.atEnd) break;
    }
    yield { text: undefined, end: { segment, offset } };
  }
}

function timeOf(text: string): number | undefined {
  const timeMs = Date.parse(String(readMembers(text)?.["timestamp"]));
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
