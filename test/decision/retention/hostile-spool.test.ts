/**
 * Whoever can write an embedded spool cannot have the removal of what they hide vouched for: a segment
 * that is not what was written stays, and is named.
 */
import { readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { encodeRecord } from "../../../src/decision/encode-record.ts";
import { firstLink } from "../../../src/decision/integrity/chain-link.ts";
import { envelop } from "../../../src/decision/integrity/envelope.ts";
import { readCheckpoints } from "../../../src/decision/integrity/read-checkpoints.ts";
import { pruneRecord } from "../../../src/decision/retention/prune-record.ts";
import { pruneSpool } from "../../../src/decision/retention/prune-spool.ts";
import type { PrunedSpool } from "../../../src/decision/retention/prune-spool.ts";
import { beforeDays } from "../../../src/decision/retention/prune-store.ts";
import {
  encodeFrames,
  encodeSegmentHeader,
  scanFrames,
} from "../../../src/decision/spool/frame.ts";
import { segmentHeaderBytes } from "../../../src/decision/spool/frame.ts";
import { segmentName } from "../../../src/decision/spool/segment.ts";
import {
  listSegments,
  listWriters,
  spoolFolder,
} from "../../../src/decision/spool/writer-folder.ts";
import { spoolChains, verifyRecord } from "../../../src/decision/verify-record.ts";
import { createTestLog } from "../../support/log.ts";
import type { LogLine } from "../../support/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { allowed, logOptions, spoolLimits } from "../support.ts";
import { checkpoints, dayMs, idAt, witnessOf } from "./old-records.ts";

type Change = (texts: readonly string[]) => readonly string[];

interface World {
  readonly writer: string;
  readonly lines: readonly LogLine[];
  readonly rewrite: (segment: number, change: Change) => Promise<void>;
  readonly prune: (isProven?: boolean) => Promise<PrunedSpool>;
  readonly pruneByHand: () => Promise<unknown>;
  readonly segments: () => Promise<readonly number[]>;
  readonly kinds: () => Promise<readonly string[]>;
}

/** Six calls of forty days ago, `perSegment` in a segment; the last place is in a checkpoint. */
async function open(perSegment: number): Promise<World> {
  const stateDir = temporaryFolder();
  const timeMs = Date.now() - 40 * dayMs;
  const limits = { ...spoolLimits, segmentMaxBytes: perSegment === 6 ? 1e9 : 1 };
  const decisions = await createDecisionLog({ ...logOptions(stateDir), checkpoints, limits });
  for (let n = 0; n < 6; n += 1) {
    await decisions.admit(allowed({ decisionId: idAt(timeMs), timeMs }));
  }
  await decisions.close();
  const spool = spoolFolder(stateDir, "embedded");
  const [writer = ""] = await listWriters(spool);
  const folder = join(spool, writer);
  const age = (path: string): Promise<void> => utimes(path, timeMs / 1000, timeMs / 1000);
  for (const segment of await listSegments(folder)) await age(join(folder, segmentName(segment)));
  const { folder: checkpointsAt, key, prove } = await witnessOf(stateDir);
  const log = createTestLog();
  const cutoffs = { payloadBeforeMs: undefined, headerBeforeMs: beforeDays(30, Date.now()) };
  const about = { cutoffs, isDryRun: false, clock: systemClock, log };
  return {
    writer,
    lines: log.lines,
    rewrite: async (segment, change) => {
      const path = join(folder, segmentName(segment));
      const bytes = (await readFile(path)).subarray(segmentHeaderBytes);
      const texts = scanFrames(bytes, segmentHeaderBytes, true).frames.map(({ payload }) =>
        payload.toString("utf8"),
      );
      expect(texts).toHaveLength(perSegment);
      await writeFile(path, Buffer.concat([encodeSegmentHeader(), encodeFrames(change(texts))]));
      await age(path);
    },
    prune: async (isProven = true) => {
      const stated = (await readCheckpoints(checkpointsAt, key)).statements;
      const proof = { prove: isProven ? prove : undefined, stated };
      return await pruneSpool({ spool, holds: [], indexed: undefined, ...about, ...proof });
    },
    pruneByHand: () =>
      pruneRecord(
        { stateDir, store: { kind: "embedded" }, checkpoints, clock: systemClock, log },
        { cutoffs, by: "olga", isDryRun: false, isProven: true },
      ),
    segments: () =>
      stat(folder).then(
        () => listSegments(folder),
        () => [],
      ),
    kinds: async () => {
      const chains = spoolChains(spool, systemClock);
      const { problems } = await verifyRecord(chains, checkpointsAt, key);
      return problems.map(({ kind, seq }) => `${kind} ${seq}`);
    },
  };
}

const edit: Change = (texts) => texts.map((text) => text.replace("support-bot", "another-bot"));

/** All of them anew, with links that fit. */
function anew(writer: string): Change {
  return (texts) => {
    let head = { seq: 0, link: firstLink(writer) };
    return texts.map(() => {
      const timeMs = Date.now() - 40 * dayMs;
      const record = allowed({ decisionId: idAt(timeMs), timeMs, agent: "another-bot" });
      const next = envelop(writer, head, encodeRecord(record, { id: writer, version: "0" }));
      head = next;
      return next.text;
    });
  };
}

const told = "segment not pruned, since it is not what was written";

describe("pruning a spool that lies", () => {
  test("goes on where nobody has touched it", async () => {
    const { prune, segments, kinds, lines } = await open(1);
    await prune();
    expect([await segments(), await kinds(), lines]).toEqual([[], [], []]);
  });

  test("keeps the segment of a record that was edited, and removes the others", async () => {
    const { writer, rewrite, prune, segments, kinds, lines } = await open(1);
    await rewrite(3, edit);
    expect(await prune()).toMatchObject({ segments: 5, records: 5 });
    expect(await segments()).toEqual([3]);
    expect(lines).toMatchObject([
      { level: "warn", message: told, data: { writer, segment: 3, record: 3 } },
    ]);
    expect(await kinds()).toEqual(["edited 3"]);
  });

  test.each<readonly [string, Change, number]>([
    ["one was edited", ([a = "", ...rest]) => [...edit([a]), ...rest], 1],
    ["two were exchanged", ([a = "", b = "", ...rest]) => [b, a, ...rest], 1],
    ["one is there twice", ([a = "", ...rest]) => [a, a, ...rest], 1],
    ["one has lost its place", ([a = "", , ...rest]) => [a, "{}", ...rest], 2],
  ])("keeps a segment in which %s", async (_, change, record) => {
    const { rewrite, prune, segments, lines } = await open(6);
    await rewrite(1, change);
    expect(await prune()).toMatchObject({ segments: 0 });
    expect(await segments()).toEqual([1]);
    expect(lines).toMatchObject([{ message: told, data: { record } }]);
  });

  test("keeps a segment that fits itself and no checkpoint", async () => {
    const { writer, rewrite, prune, segments, kinds, lines } = await open(6);
    await rewrite(1, anew(writer));
    await prune();
    expect([await segments(), await kinds()]).toEqual([[1], ["other_history 6"]]);
    expect(lines).toMatchObject([{ message: told, data: { record: 6 } }]);
  });

  test("keeps a segment that does not follow the one before it", async () => {
    const { writer, rewrite, prune, segments, kinds } = await open(1);
    await rewrite(1, anew(writer));
    await prune();
    expect([await segments(), await kinds()]).toEqual([[2], ["out_of_chain 2"]]);
  });

  test("leaves a place that was missing before missing", async () => {
    const { rewrite, prune, segments, kinds, lines } = await open(6);
    await rewrite(1, (texts) => texts.filter((_, index) => index !== 2));
    await prune();
    expect([await segments(), await kinds(), lines]).toEqual([[], ["truncated 3"], []]);
  });

  test("looks as well where a person prunes", async () => {
    const { writer, rewrite, pruneByHand, segments, lines } = await open(6);
    await rewrite(1, anew(writer));
    await pruneByHand();
    expect(await segments()).toEqual([1]);
    expect(lines.filter(({ message }) => message === told)).toHaveLength(1);
  }, 60_000);

  test("removes it where nobody has to vouch for that", async () => {
    const { rewrite, prune, segments, kinds } = await open(6);
    await rewrite(1, edit);
    await prune(false);
    expect(await segments()).toEqual([]);
    expect(await kinds()).toEqual(["truncated 1"]);
  });
});
