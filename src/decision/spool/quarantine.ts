/**
 * Recovery of a dead writer's spool. What is no intact frame is copied into a file of its own in
 * `.quarantine` beside the writers, so that nothing is thrown away unseen; a torn tail is then cut off. Doing it twice, or
 * being killed in the middle, changes nothing.
 */
import { mkdir, open, stat, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "../../contract/ambient.ts";
import type { Damage } from "./frame.ts";
import { readSegment } from "./read-segment.ts";
import { segmentName } from "./segment.ts";
import { listSegments } from "./writer-folder.ts";

/** Where damaged bytes are kept; its name makes it no writer. */
export const quarantineName = ".quarantine";

/** Sets a dead writer's damaged bytes aside and cuts its torn tails. */
export async function recoverWriter(spool: string, writer: string, log: Log): Promise<void> {
  const folder = join(spool, writer);
  for (const number of await listSegments(folder)) {
    const path = join(folder, segmentName(number));
    const { damage, end } = await scanSegment(path);
    for (const range of damage) {
      const copy = join(spool, quarantineName, `${writer}-${number}-${range.from}.damaged`);
      await copyRange(path, range, copy);
      const found = { segment: path, from: range.from, to: range.to, copy };
      log.warn(found, "damaged bytes of the decision spool set aside");
    }
    await cutTail(path, damage.at(-1), end);
  }
}

async function cutTail(path: string, last: Damage | undefined, end: number): Promise<void> {
  const keep = last?.to === end ? last.from : end;
  const { size } = await stat(path);
  if (keep < size) await truncate(path, keep);
}

async function scanSegment(
  path: string,
): Promise<{ readonly damage: readonly Damage[]; readonly end: number }> {
  const damage: Damage[] = [];
  let end = 0;
  for (;;) {
    const read = await readSegment(path, end);
    damage.push(...read.damage);
    end = read.next;
    if (read.atEnd) return { damage, end };
  }
}

/** Killed in the middle, the next run finds the damage still there and writes the same copy. */
async function copyRange(path: string, range: Damage, copy: string): Promise<void> {
  await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
  const file = await open(path, "r");
  try {
    const bytes = Buffer.alloc(range.to - range.from);
    await file.read(bytes, 0, bytes.length, range.from);
    await writeFile(copy, bytes, { mode: 0o600, flush: true });
  } finally {
    await file.close();
  }
}
