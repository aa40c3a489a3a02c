import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { withDecisionLog } from "../../../src/cli/with-decision-log.ts";
import type { CliIo } from "../../../src/cli/io.ts";
import { newId, systemClock } from "../../../src/config/ambient.ts";
import { openMigrated } from "../../../src/database/open-migrated.ts";
import type {
  DecisionLogOptions,
  ObservedDecisionLog,
} from "../../../src/decision/decision-log.ts";
import { exportKey } from "../../../src/decision/export/exported-place.ts";
import { spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import { countBytes } from "../../../src/decision/store/adopt-writers.ts";
import { load, minimal } from "../../config/support.ts";
import { eventually } from "../../support/eventually.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { logOptions } from "../support.ts";
import { admit, exportTo, openExporting } from "./exporting.ts";
import { startReceiver } from "./receiver.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

interface World {
  readonly stateDir: string;
  readonly spool: string;
  /** Of a log that ships to a new database, in small segments. */
  readonly options: Pick<DecisionLogOptions, "store" | "limits">;
}

async function newWorld(): Promise<World> {
  const stateDir = join(temporaryFolder(), "state");
  mkdirSync(stateDir, { mode: 0o700 });
  const url = (await postgres?.createDatabase()) ?? "";
  await (await openMigrated(url)).close();
  const limits = { ...logOptions(stateDir).limits, segmentMaxBytes: 20_000 };
  const store = { kind: "postgres", url } as const;
  return { stateDir, spool: spoolFolder(stateDir, "postgres"), options: { store, limits } };
}

const segmentsIn = (folder: string): number =>
  readdirSync(folder).filter((name) => name.endsWith(".seg")).length;
const writersIn = (spool: string): readonly string[] =>
  readdirSync(spool).filter((name) => !name.startsWith("."));
const isShipped = (log: ObservedDecisionLog) => (): boolean =>
  log.status().unshippedRecords === 0 && log.status().unshippedBytes === 0;

describe.skipIf(postgres === undefined)("a spool that is shipped", { timeout: 90_000 }, () => {
  test("stays until it was exported, and is then removed", async () => {
    const { stateDir, spool, options } = await newWorld();
    const receiver = await startReceiver(503);
    const config = exportTo({ kind: "http", url: receiver.url });
    const first = await openExporting(stateDir, config, options);
    const ids = await admit(first.decisions, 30);
    const { writer } = first.decisions.status();
    await eventually(isShipped(first.decisions));
    expect(segmentsIn(join(spool, writer))).toBeGreaterThan(3);
    // What a gateway that was killed now would leave counts but for its last segment.
    await eventually(async () => (await countBytes(spool, [writer])) < 300_000);
    await first.decisions.close();
    expect(writersIn(spool)).toEqual([writer]);
    expect(await countBytes(spool, [writer])).toBe(0);

    receiver.mode = () => "take";
    const second = await openExporting(stateDir, config, options);
    await eventually(() => receiver.taken.length >= 30);
    expect(receiver.taken.map((event) => event.decision_id)).toEqual(ids);
    await admit(second.decisions, 30);
    await eventually(() => receiver.taken.length >= 60);
    await eventually(isShipped(second.decisions));
    await second.decisions.close();
    expect(writersIn(spool)).not.toContain(second.decisions.status().writer);

    const third = await openExporting(stateDir, config, options);
    await eventually(() => !writersIn(spool).includes(writer));
    await third.decisions.close();
    expect(receiver.taken).toHaveLength(60);
  });

  test("does not count for the limit of what waits for postgres, after a kill either", async () => {
    const { stateDir, spool, options } = await newWorld();
    const receiver = await startReceiver(503);
    const config = exportTo({ kind: "http", url: receiver.url });
    const first = await openExporting(stateDir, config, options);
    await admit(first.decisions, 30);
    await first.decisions.close();
    const { writer } = first.decisions.status();
    const mark = join(spool, writer, "shipped");
    rmSync(mark);
    expect(await countBytes(spool, [writer])).toBeGreaterThan(50_000);
    const second = await openExporting(stateDir, config, options);
    await eventually(() => existsSync(mark));
    await eventually(() => second.decisions.status().unshippedBytes === 0, 10_000);
    await second.decisions.close();
  });

  test("goes segment by segment while a gateway runs and exports", async () => {
    const { stateDir, spool, options } = await newWorld();
    const receiver = await startReceiver();
    const config = exportTo({ kind: "http", url: receiver.url });
    const { decisions } = await openExporting(stateDir, config, options);
    const folder = join(spool, decisions.status().writer);
    await admit(decisions, 30);
    await eventually(() => receiver.taken.length >= 30);
    await eventually(async () => {
      await admit(decisions, 1);
      return segmentsIn(folder) <= 2;
    });
    expect(decisions.status().unrecorded).toBe(0);
    await decisions.close();
  });

  test("waits for its export after a command, too", async () => {
    const { stateDir, spool, options } = await newWorld();
    const receiver = await startReceiver();
    const config = exportTo({ kind: "http", url: receiver.url });
    const note = async (entry: object): Promise<void> => {
      const decisions = { store: storeUrl(options), ...entry };
      const { config: loaded } = load({ ...minimal, decisions });
      const about = { tenant: "default", by: "alice", action: "block", subject: "tool crm/x" };
      const more = { decisionId: newId(), timeMs: systemClock.nowMs(), reason: null, details: {} };
      await withDecisionLog(silentIo, { config: loaded, stateDir }, (log) =>
        log.note({ kind: "admin", ...about, ...more }),
      );
    };
    await note({ export: { to: receiver.url } });
    expect(writersIn(spool)).toHaveLength(1);
    await note({});
    expect(writersIn(spool)).toHaveLength(1);
    const [writer = ""] = writersIn(spool);
    const gateway = await openExporting(stateDir, config, options);
    const place = join(spool, writer, `exported-${exportKey(config)}`);
    // Once it was looked through it may be gone with its folder.
    await eventually(() => existsSync(place) || !writersIn(spool).includes(writer));
    await gateway.decisions.close();
    expect(receiver.requests).toEqual([]);
  });

  test("is given up past its limit, counted and said, and no call fails", async () => {
    const { stateDir, spool, options } = await newWorld();
    const path = join(stateDir, "away", "records.jsonl");
    const target = { kind: "file", path } as const;
    const config = exportTo(target, { format: "jsonl", bufferSizeLimitBytes: 65_536 });
    const { decisions, status, lines } = await openExporting(stateDir, config, options);
    await admit(decisions, 60);
    const folder = join(spool, decisions.status().writer);
    await eventually(() => (status()?.dropped ?? 0) > 0);
    await eventually(() => (status()?.pendingBytes ?? Number.POSITIVE_INFINITY) <= 65_536);
    await eventually(isShipped(decisions));
    await eventually(async () => {
      await admit(decisions, 1);
      return segmentsIn(folder) * 20_000 < 65_536 + 60_000;
    });
    expect(decisions.status()).toMatchObject({ failure: undefined, lostRecords: 0 });
    mkdirSync(dirname(path));
    await eventually(() => existsSync(path) && status()?.state === "waiting");
    await decisions.close();
    const seqs = readFileSync(path, "utf8").trimEnd().split("\n").map(seqOf);
    const { committedRecords } = decisions.status();
    const first = seqs[0] ?? 0;
    expect(seqs).toEqual(seqs.map((_, index) => first + index));
    expect(seqs.at(-1)).toBe(committedRecords);
    expect(status()?.dropped).toBe(first - 1);
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: "error",
        message: "records given up, too much waits for the export",
      }),
    );
  });
});

function seqOf(line: string): number {
  return Number(JSON.parse(line).seq);
}

function storeUrl({ store }: World["options"]): string {
  return store.kind === "postgres" ? store.url : "embedded";
}

const silentIo: CliIo = {
  out: () => undefined,
  err: () => undefined,
  env: {},
  cwd: "/",
  columns: undefined,
  exit: () => undefined,
};
