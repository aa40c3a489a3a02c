/**
 * Logs, state folders and spools for the tests of the decision record.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { newId, systemClock } from "../../src/config/ambient.ts";
import type { Log } from "../../src/contract/ambient.ts";
import type { DecisionLogOptions } from "../../src/decision/decision-log.ts";
import { listSegments, listWriters, spoolFolder } from "../../src/decision/spool/writer-folder.ts";
import { readSegment } from "../../src/decision/spool/read-segment.ts";
import { segmentName } from "../../src/decision/spool/segment.ts";

export { admission, allowed, outcome } from "./sample-records.ts";

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly data: object;
}

/** A log that keeps its lines. */
export function keptLog(lines: LogLine[] = []): Log & { readonly lines: readonly LogLine[] } {
  const at = (level: string) => (data: object, message: string) =>
    void lines.push({ level, message, data });
  return {
    lines,
    error: at("error"),
    warn: at("warn"),
    info: at("info"),
    debug: at("debug"),
    child: () => keptLog(lines),
  };
}

/** A state folder that is removed after the test. */
export async function temporaryState(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gateway-state-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Options of an embedded, strict decision log. */
export function logOptions(stateDir: string): DecisionLogOptions & { readonly log: Log } {
  return {
    stateDir,
    store: { kind: "embedded" },
    clock: systemClock,
    log: keptLog(),
    newId,
    onFailure: "fail_operation",
    durability: "sync",
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

/** Waits until `check` holds. */
export async function eventually(check: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
