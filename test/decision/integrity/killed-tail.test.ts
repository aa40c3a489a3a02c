/**
 * A gateway that was killed: what it recorded behind its last checkpoint is whole, could be cut off
 * unseen, and `audit verify` says up to where the record is proven.
 */
import { cp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { readCheckpoint } from "../../../src/decision/integrity/checkpoint.ts";
import { readSegment } from "../../../src/decision/spool/read-segment.ts";
import { listWriters, spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import type { CliOutcome } from "../../support/cli-run.ts";
import { runCli } from "../../support/cli-run.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { allowed, logOptions } from "../support.ts";

describe("the record of a gateway that was killed", { timeout: 60_000 }, () => {
  const folder = temporaryFolder();
  const stateDir = join(folder, "state");
  const kept = join(folder, "kept.seg");
  let writer = "";
  let segment = "";
  let proven = 0;
  let ends: readonly number[] = [];

  beforeAll(async () => {
    const living = temporaryFolder();
    const checkpoints = { folder: undefined, key: undefined, everyMs: 1 };
    const log = await createDecisionLog({ ...logOptions(living), checkpoints });
    for (let call = 0; call < 3; call += 1) await log.admit(allowed());
    await eventually(async () => (await lastCheckpoint(living)) === 3);
    // What a kill leaves: the files as they were, and nobody who holds them.
    await cp(join(living, "checkpoints"), join(stateDir, "checkpoints"), { recursive: true });
    for (let call = 0; call < 3; call += 1) await log.admit(allowed());
    for (const name of ["spool", "checkpoint-key.pem"]) {
      await cp(join(living, name), join(stateDir, name), { recursive: true });
    }
    await log.close();
    const spool = spoolFolder(stateDir, "embedded");
    [writer = ""] = await listWriters(spool);
    await rm(join(spool, writer, "writer.holder"));
    proven = (await lastCheckpoint(stateDir)) ?? 0;
    segment = join(spool, writer, "00000001.seg");
    ends = (await readSegment(segment, 0)).frames.map(({ end }) => end);
    await cp(segment, kept);
    const config = { agent: { id: "a" }, user: { id: "u" }, servers: {} };
    await writeFile(join(folder, "c.json"), JSON.stringify(config), { mode: 0o600 });
  });

  async function verifyWith(records: number): Promise<CliOutcome> {
    await cp(kept, segment);
    await truncate(segment, ends[records - 1] ?? 0);
    const env = { HOME: folder, MCP_GATEWAY_STATE: stateDir };
    return await runCli(["audit", "verify", "-c", "c.json"], folder, env);
  }

  test("is proven up to its last checkpoint, which is said", async () => {
    expect([proven, ends.length]).toEqual([3, 6]);
    const { exitCode, err } = await verifyWith(6);
    expect(exitCode).toBe(0);
    expect(err).toContain("; 3 records behind the last checkpoint of their writer");
    expect(err).toContain("proven up to the last checkpoint only, of 1 writers that run or were");
    expect(err).toMatch(new RegExp(`^ {2}${writer} up to record 3, at 2\\d{3}-`, "m"));
  });

  test("cut off behind the checkpoint is not found, and not called proven", async () => {
    const { exitCode, err } = await verifyWith(4);
    expect(exitCode).toBe(0);
    expect(err).toContain(`${writer} up to record 3`);
  });

  test("cut off before the checkpoint is found", async () => {
    const { exitCode, out } = await verifyWith(2);
    expect(exitCode).toBe(8);
    expect(out).toMatch(/3 +truncated/);
  });
});

/** The place that the newest line states; `undefined` before there is one. */
async function lastCheckpoint(stateDir: string): Promise<number | undefined> {
  const folder = join(stateDir, "checkpoints");
  const [name] = await readdir(folder).catch(() => []);
  if (name === undefined) return undefined;
  const lines = (await readFile(join(folder, name), "utf8")).split("\n");
  return readCheckpoint(lines.at(-2) ?? "")?.statement.seq;
}
