/**
 * Logs, state folders and spools for the tests of the decision record.
 */
import { join } from "node:path";
import { newId, systemClock } from "../../src/config/ambient.ts";
import type { Log } from "../../src/contract/ambient.ts";
import type { DecisionLogOptions } from "../../src/decision/decision-log.ts";
import { listSegments, listWriters, spoolFolder } from "../../src/decision/spool/writer-folder.ts";
import { readSegment } from "../../src/decision/spool/read-segment.ts";
import { segmentName } from "../../src/decision/spool/segment.ts";
import { createTestLog } from "../support/log.ts";
import { openMask } from "./masking/open-mask.ts";

export { admission, allowed, outcome } from "./sample-records.ts";

/** As much as the disk has. */
export const spoolLimits = { spoolMaxBytes: Number.MAX_SAFE_INTEGER };

/** Options of an embedded, strict decision log. */
export function logOptions(stateDir: string): DecisionLogOptions & { readonly log: Log } {
  return {
    stateDir,
    store: { kind: "embedded" },
    clock: systemClock,
    log: createTestLog(),
    newId,
    limits: spoolLimits,
    onFailure: "fail_operation",
    durability: "sync",
    mask: openMask(),
  };
}

/** Texts of all intact records of all writers of a state folder, in order. */
export async function readSpool(
  stateDir: string,
  store: "embedded" | "postgres" = "embedded",
): Promise<readonly string[]> {
  const spool = spoolFolder(stateDir, store);
  const found: string[] = [];
  for (const writer of await listWriters(spool)) {
    for (const number of await listSegments(join(spool, writer))) {
      const path = join(spool, writer, segmentName(number));
      found.push(...(await readAll(path)));
    }
  }
  return found;
}

async function readAll(path: string): Promise<readonly string[]> {
  const found: string[] = [];
  let from = 0;
  for (;;) {
    const read = await readSegment(path, from);
    found.push(...read.frames.map(({ payload }) => payload.toString("utf8")));
    from = read.next;
    if (read.atEnd) return found;
  }
}
