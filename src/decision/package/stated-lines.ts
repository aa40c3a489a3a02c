/**
 * What a package has to know of a writer's checkpoints before they are copied into it. Files of years
 * are not held in memory.
 */
import type { Checkpoint } from "../integrity/checkpoint.ts";
import { readCheckpoint } from "../integrity/checkpoint.ts";

/** Of one writer's file. */
export interface StatedLines {
  readonly lines: number;
  /** The last one that can be read. */
  readonly last: Checkpoint | undefined;
  /** The last one before the time from which the package begins. */
  readonly before: Checkpoint | undefined;
}

/** Of a writer without a file. */
export const noLines: StatedLines = { lines: 0, last: undefined, before: undefined };

/** Reads them once; nothing is verified. */
export async function lookAtLines(
  lines: AsyncIterable<string>,
  sinceMs: number,
): Promise<StatedLines> {
  let found = noLines;
  for await (const line of lines) {
    const checkpoint = readCheckpoint(line);
    const isBefore = checkpoint !== undefined && Date.parse(checkpoint.statement.time) < sinceMs;
    found = {
      lines: found.lines + 1,
      last: checkpoint ?? found.last,
      before: isBefore ? checkpoint : found.before,
    };
  }
  return found;
}
