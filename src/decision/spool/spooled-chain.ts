/**
 * One writer's records as its spool has them, in the order in which they were written. Of a living
 * writer those that are committed.
 */
import { join } from "node:path";
import type { Clock } from "../../contract/ambient.ts";
import type { FoundRecord } from "../integrity/chain-check.ts";
import { openEnvelope } from "../integrity/envelope.ts";
import { foundText } from "../integrity/found-record.ts";
import { comparePositions, readCommittedMark } from "./committed-mark.ts";
import type { Frame } from "./frame.ts";
import { readSegment } from "./read-segment.ts";
import { segmentName } from "./segment.ts";
import { isWriterAlive, listSegments } from "./writer-folder.ts";

/** The records of a writer's folder; bytes that are no record are not passed over in silence. */
export async function* spooledChain(
  folder: string,
  writer: string,
  clock: Clock,
): AsyncGenerator<FoundRecord> {
  let seq = 0;
  for await (const text of spooledTexts(folder, clock)) {
    seq = openEnvelope(text)?.seq ?? seq + 1;
    yield foundText(text, { writer, seq, columns: undefined });
  }
}

/** The texts of a writer's folder, of a living writer the committed ones. */
export async function* spooledTexts(folder: string, clock: Clock): AsyncGenerator<string> {
  for await (const frames of spooledFrames(folder, clock)) {
    for (const { payload } of frames) yield payload.toString("utf8");
  }
}

/** The same as they lie there, many at once. */
export async function* spooledFrames(
  folder: string,
  clock: Clock,
): AsyncGenerator<readonly Frame[]> {
  const upTo = (await isWriterAlive(folder, clock)) ? await readCommittedMark(folder) : undefined;
  for (const segment of await listSegments(folder)) {
    if (upTo !== undefined && comparePositions({ segment, offset: 0 }, upTo) > 0) return;
    const limit = segment === upTo?.segment ? upTo.offset : undefined;
    let offset = 0;
    for (;;) {
      const read = await readSegment(join(folder, segmentName(segment)), offset, limit);
      yield read.frames;
      offset = read.next;
      if (read.atEnd) break;
    }
  }
}
