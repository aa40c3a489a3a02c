/**
 * A small segment of five records, torn at each of its bytes and with each of its bytes changed: what
 * recovery keeps, what it sets aside, and what it says.
 */
import { existsSync, mkdtempSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../../src/config/ambient.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { segmentHeaderBytes } from "../../../src/decision/spool/frame.ts";
import { quarantineName, recoverWriter } from "../../../src/decision/spool/quarantine.ts";
import { readSegment } from "../../../src/decision/spool/read-segment.ts";
import { listWriters, spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import { createTestLog } from "../../support/log.ts";
import type { LogLine } from "../../support/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { logOptions, outcome, readSpool } from "../support.ts";

const told = "damaged bytes of the decision spool set aside";
const writer = "0190-writer";
/** Thousands of copies are synced: where there is memory to write to, they do not wait for a disk. */
const fastFolder = "/dev/shm";
const stateDir = existsSync(fastFolder)
  ? mkdtempSync(join(fastFolder, "mcp-gateway-test-"))
  : temporaryFolder();
afterAll(() => rm(stateDir, { recursive: true, force: true }));

let whole = Buffer.alloc(0);
/** Where the records begin, and behind them where the last one ends. */
let offsets: readonly number[] = [];
let payloads: readonly string[] = [];

beforeAll(async () => {
  const log = await createDecisionLog(logOptions(stateDir));
  for (let count = 0; count < 5; count += 1) log.settle(outcome(newId()));
  await log.close();
  const spool = spoolFolder(stateDir, "embedded");
  const [name = ""] = await listWriters(spool);
  const segment = join(spool, name, "00000001.seg");
  whole = await readFile(segment);
  const { frames, next } = await readSegment(segment, 0);
  offsets = [...frames.map(({ offset }) => offset), next];
  payloads = frames.map(({ payload }) => payload.toString("utf8"));
});

/** Bytes as Latin-1, which compare fast. */
interface Recovered {
  readonly payloads: readonly string[];
  readonly left: string;
  readonly lines: readonly LogLine[];
  /** Every copy of damaged bytes, by the place it was at. */
  readonly kept: readonly (readonly [number, string])[];
}

async function recovered(bytes: Buffer): Promise<Recovered> {
  const spool = spoolFolder(stateDir, "embedded");
  const segment = join(spool, writer, "00000001.seg");
  await rm(spool, { recursive: true, force: true });
  await mkdir(join(spool, writer), { recursive: true });
  await writeFile(segment, bytes);
  const log = createTestLog();
  await recoverWriter(spool, writer, log);
  const kept: [number, string][] = [];
  for (const name of await readdir(join(spool, quarantineName)).catch(() => [])) {
    const from = Number(/-(\d+)\.damaged$/.exec(name)?.[1]);
    kept.push([from, await readFile(join(spool, quarantineName, name), "latin1")]);
  }
  const read = await readSpool(stateDir);
  return { payloads: read, left: await readFile(segment, "latin1"), lines: log.lines, kept };
}

/** Judges what recovery made of every variant. */
async function eachOf(
  variants: readonly Buffer[],
  judge: (found: Recovered, at: number) => void,
): Promise<void> {
  for (const [at, bytes] of variants.entries()) judge(await recovered(bytes), at);
}

/** One warning, with the bounds of what was set aside. */
function warningOf(from: number, to: number): readonly object[] {
  return [{ level: "warn", message: told, data: { from, to } }];
}

describe("a segment of five records", { timeout: 120_000 }, () => {
  test("torn at any byte keeps what was whole, reads nothing half, and says what was torn", async () => {
    expect([payloads.length, offsets[0]]).toEqual([5, segmentHeaderBytes]);
    const variants = Array.from({ length: whole.length + 1 }, (_, size) => whole.subarray(0, size));
    await eachOf(variants, (found, size) => {
      const count = offsets.slice(1).filter((end) => end <= size).length;
      expect(found.payloads).toEqual(payloads.slice(0, count));
      // A header of which only a part is there goes as well.
      const end = size < segmentHeaderBytes ? 0 : offsets[count];
      expect(found.left).toBe(whole.toString("latin1", 0, end));
      const isTorn = size !== end;
      expect(found.lines).toMatchObject(isTorn ? warningOf(end ?? 0, size) : []);
      expect(found.kept).toEqual(isTorn ? [[end, whole.toString("latin1", end, size)]] : []);
    });
  });

  test("with any byte changed loses at most the record of that byte, and says which bytes", async () => {
    const variants = Array.from({ length: whole.length }, (_, at) => {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      return changed;
    });
    await eachOf(variants, (found, at) => {
      const hit = offsets.filter((offset) => offset <= at).length - 1;
      expect(found.payloads).toEqual(payloads.filter((_, index) => index !== hit));
      const [from, to] = [hit < 0 ? 0 : (offsets[hit] ?? 0), offsets[hit + 1] ?? 0];
      expect(found.lines).toMatchObject(warningOf(from, to));
      expect(found.kept).toEqual([[from, variants[at]?.toString("latin1", from, to)]]);
    });
  });
});
