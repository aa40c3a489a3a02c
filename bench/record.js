/**
 * `node bench/record.js`: what the decision record costs, as ratios of one run in interleaved blocks: a
 * durable record beside one write and fdatasync of the same bytes, 64 of them in flight beside one
 * fdatasync each, and rows into Postgres in batches beside single inserts (skipped where there is no
 * postgres in /usr/lib/postgresql). Prints medians and an A/A pair.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId, systemClock } from "../dist/config/ambient.js";
import { openMigrated } from "../dist/database/open-migrated.js";
import { createDecisionLog } from "../dist/decision/decision-log.js";
import { encodeRecord } from "../dist/decision/encode-record.js";
import { firstLink } from "../dist/decision/integrity/chain-link.js";
import { envelop } from "../dist/decision/integrity/envelope.js";
import { insertBatch } from "../dist/decision/store/insert-batch.js";
import { Partitions } from "../dist/decision/store/partitions.js";
import { median } from "./stdio-peer.js";
import { findPostgres, startPostgres } from "./torture/postgres.js";
import { sampleAdmission } from "./torture/sample-records.js";

const rounds = 15;
const perBlock = 100;
const inFlight = 64;
const rowsPerBlock = 200;
const rowsAtOnce = 100;

const silent = { error: ignore, warn: ignore, info: ignore, debug: ignore, child: () => silent };
const folder = mkdtempSync(join(tmpdir(), "bench-record-"));
const log = await createDecisionLog({
  stateDir: folder,
  store: { kind: "embedded" },
  clock: systemClock,
  log: silent,
  newId,
  limits: { spoolMaxBytes: Number.MAX_SAFE_INTEGER },
  onFailure: "fail_operation",
  durability: "sync",
  // What is measured is the disk.
  mask: { mask: (_, encoded) => encoded },
});
const file = await open(join(folder, "plain"), "w");
// Room written ahead, as the spool has it: what is compared is the waiting for the disk.
await file.write(Buffer.alloc(64 * 1024 ** 2));
await file.sync();
const bytes = Buffer.from(encodeRecord(sample(), { id: "bench" }).text);
let at = 0;

await measureDisk();
await log.close();
await file.close();
await measurePostgres();
rmSync(folder, { recursive: true, force: true });

function ignore() {
  // Nobody reads it.
}

function sample() {
  return { ...sampleAdmission(newId(), Date.now()), inputJson: `{"filler":"${"x".repeat(1500)}"}` };
}

async function writeAndSync() {
  at = (at + bytes.length) % (60 * 1024 ** 2);
  await file.write(bytes, 0, bytes.length, at);
  await file.datasync();
}

async function measureDisk() {
  const subjects = {
    plain: () => one(writeAndSync),
    again: () => one(writeAndSync),
    durable: () => one(() => log.admit(sample())),
    together: () => many(() => log.admit(sample())),
    separate: () => one(writeAndSync),
  };
  const found = await interleaved(subjects);
  const { plain = [], again = [], durable = [], together = [], separate = [] } = found;
  const rate = (/** @type {number[]} */ values) => Math.round(1e6 / median(values));
  console.log(`write + fdatasync: ${median(plain).toFixed(0)} µs; A/A ${ratio(again, plain)}`);
  console.log(
    `durable record: ${median(durable).toFixed(0)} µs, ${ratio(durable, plain)} of write + fdatasync`,
  );
  console.log(
    `${inFlight} in flight: ${rate(together)} records/s against ${rate(separate)}/s with one fdatasync each, ${ratio(separate, together)} times`,
  );
}

async function measurePostgres() {
  const binaries = findPostgres();
  if (binaries === undefined) {
    console.log("rows into postgres: SKIPPED, there is none in /usr/lib/postgresql");
    return;
  }
  const postgres = await startPostgres(binaries, mkdtempSync(join(folder, "store-")), {
    syncs: true,
  });
  const database = await openMigrated(postgres.url("postgres"));
  const target = { database, log: silent, partitions: new Partitions(database, silent) };
  const found = await interleaved(
    {
      batches: () => insertRows(target, rowsAtOnce),
      singles: () => insertRows(target, 1),
    },
    3,
  );
  const { batches = [], singles = [] } = found;
  const rate = (/** @type {number[]} */ values) => Math.round(1e6 / median(values));
  console.log(
    `rows into postgres: ${rate(batches)}/s in batches of ${rowsAtOnce}, ${rate(singles)}/s one by one, ${ratio(singles, batches)} times`,
  );
  await database.close();
  await postgres.stop();
}

/**
 * Microseconds for one row.
 *
 * @param {import("../dist/decision/store/insert-batch.js").BatchTarget} target
 * @param {number} atOnce
 */
async function insertRows(target, atOnce) {
  const writer = newId();
  let head = { seq: 0, link: firstLink(writer) };
  let offset = 16;
  const frames = Array.from({ length: rowsPerBlock }, () => {
    const next = envelop(writer, head, encodeRecord(sample(), { id: writer }));
    head = next;
    const payload = Buffer.from(next.text);
    const frame = { offset, end: offset + 12 + payload.length, payload };
    offset = frame.end;
    return frame;
  });
  const startedMs = performance.now();
  for (let from = 0; from < frames.length; from += atOnce) {
    await insertBatch(target, { writer, segment: 1, frames: frames.slice(from, from + atOnce) });
  }
  return ((performance.now() - startedMs) * 1000) / rowsPerBlock;
}

/**
 * Each subject once a round, in turns; microseconds by subject.
 *
 * @param {Record<string, () => Promise<number>>} subjects
 * @param {number} times
 */
async function interleaved(subjects, times = rounds) {
  for (const subject of Object.values(subjects)) await subject();
  /** @type {Record<string, number[]>} */
  const found = {};
  for (let round = 0; round < times; round += 1) {
    const names = Object.keys(subjects);
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const value = await subjects[name]?.();
      if (value !== undefined) (found[name] ??= []).push(value);
    }
  }
  return found;
}

/**
 * The median of one after the other.
 *
 * @param {() => Promise<unknown>} work
 */
async function one(work) {
  const durations = [];
  for (let count = 0; count < perBlock; count += 1) {
    const startedMs = performance.now();
    await work();
    durations.push((performance.now() - startedMs) * 1000);
  }
  return median(durations);
}

/**
 * Each of them on average, with many in flight.
 *
 * @param {() => Promise<unknown>} work
 */
async function many(work) {
  const total = perBlock * 20;
  let left = total;
  const startedMs = performance.now();
  const workOn = async () => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, workOn));
  return ((performance.now() - startedMs) * 1000) / total;
}

/**
 * @param {number[]} values
 * @param {number[]} base
 */
function ratio(values, base) {
  const ratios = values.map((value, round) => value / (base[round] ?? Number.NaN));
  return median(ratios).toFixed(2);
}
