/**
 * The spool alone: processes killed while they append, change segments and recover; errors that
 * strace puts into fdatasync and write; a disk that fills up.
 */
import { randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { brokenChains, compare, readSpooled } from "./found-records.js";
import { createTold, runWriter } from "./run-writer.js";
import { tryMount } from "./small-disk.js";

/**
 * @typedef {import("./tally.js").Part} Part
 * @typedef {{ folder: string, random: import("./random.js").Random, loops: number,
 *   isOver: () => boolean }} Setting
 */

const atOnce = 3;
/** So many share a state folder, which is then looked at. */
const perFolder = 24;
/** For what has to happen, however slow the machine is. */
const patienceMs = 60_000;

/**
 * @param {Part} part
 * @param {Setting} setting
 */
export async function killAppending(part, { folder, random, loops, isOver }) {
  while (part.loops < loops && !isOver()) {
    const stateDir = await mkdtemp(join(folder, "spool-"));
    const told = createTold();
    for (let at = 0; at < perFolder && part.loops < loops && !isOver(); at += atOnce) {
      const wave = Array.from({ length: atOnce }, () => killOne(part, stateDir, told, random));
      await Promise.all([...wave, killRecovering(part, stateDir, random)]);
      await tear(stateDir, random);
    }
    await judge(part, stateDir, told);
  }
}

/**
 * @param {Part} part
 * @param {string} stateDir
 * @param {import("./run-writer.js").Told} all
 * @param {import("./random.js").Random} random
 */
async function killOne(part, stateDir, all, random) {
  part.loops += 1;
  const told = createTold();
  const order = {
    work: /** @type {const} */ ("write"),
    stateDir,
    logs: random.whole(1, 2),
    inFlight: random.whole(1, 6),
    segmentMaxBytes: random.pick([4096, 32_768, 1_048_576]),
  };
  await runWriter(part, order, { told, killAfterMs: random.between(0, 120) });
  merge(all, told);
}

/**
 * Beside those that write: the ones before them are dead.
 *
 * @param {Part} part
 * @param {string} stateDir
 * @param {import("./random.js").Random} random
 */
async function killRecovering(part, stateDir, random) {
  if (random.isTrue(0.5)) return;
  part.loops += 1;
  await runWriter(part, { work: "recover", stateDir }, { killAfterMs: random.between(0, 20) });
}

/**
 * Bytes behind the end of a segment, as a machine that lost power may leave them.
 *
 * @param {string} stateDir
 * @param {import("./random.js").Random} random
 */
async function tear(stateDir, random) {
  const spool = join(stateDir, "spool", "embedded");
  const writers = (await readdir(spool)).filter((name) => !name.startsWith("."));
  const folder = join(spool, random.pick(writers));
  const segments = (await readdir(folder)).filter((name) => name.endsWith(".seg")).toSorted();
  const last = segments.at(-1);
  if (last === undefined) return;
  await appendFile(join(folder, last), randomBytes(random.whole(1, 3000)));
}

/**
 * @param {import("./run-writer.js").Told} all
 * @param {import("./run-writer.js").Told} told
 */
function merge(all, told) {
  for (const id of told.submitted) all.submitted.add(id);
  for (const id of told.acknowledged) all.acknowledged.add(id);
  for (const id of told.refused) all.refused.add(id);
}

/**
 * @param {Part} part
 * @param {string} stateDir
 * @param {import("./run-writer.js").Told} told
 */
async function judge(part, stateDir, told) {
  compare(part, told, await readSpooled(stateDir));
  const broken = await brokenChains(stateDir);
  part.broken += broken.length;
  part.notes.push(...broken);
  await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
}

/**
 * Errors of the kernel, without and with a kill in the middle.
 *
 * @param {Part} part
 * @param {Setting} setting
 */
export async function injectErrors(part, { folder, random, loops, isOver }) {
  while (part.loops < loops && !isOver()) {
    const stateDir = await mkdtemp(join(folder, "errors-"));
    const told = createTold();
    part.loops += 1;
    part.faults += 1;
    const order = {
      work: /** @type {const} */ ("write"),
      stateDir,
      inFlight: random.whole(1, 4),
      segmentMaxBytes: 32_768,
      count: 150,
    };
    const settings = random.isTrue(0.3) ? { killAfterMs: random.between(50, 400) } : {};
    await runWriter(part, order, { told, injected: [faultOf(random)], ...settings });
    await judge(part, stateDir, told);
  }
}

/**
 * strace counts calls by thread; one of four threads syncs.
 *
 * @param {import("./random.js").Random} random
 */
function faultOf(random) {
  const from = random.whole(2, 12);
  return random.pick([
    `fdatasync:error=EIO:when=${from}`,
    `fdatasync:error=EIO:when=${from}+${random.whole(1, 5)}`,
    `fdatasync:error=ENOSPC:when=${from}..${from + random.whole(1, 6)}`,
    `pwrite64:error=ENOSPC:when=${from}..${from + random.whole(1, 20)}`,
    `pwrite64:error=EIO:when=${from}+${random.whole(2, 9)}`,
    `ftruncate:error=EIO:when=1+2`,
  ]);
}

/**
 * A disk of four megabytes: it fills up, is refused, gets room again, and goes on.
 *
 * @param {Part} part
 * @param {Setting} setting
 */
export async function fillDisk(part, { folder, random, loops, isOver }) {
  const disk = join(folder, "disk");
  await mkdir(disk);
  if (!tryMount(disk, 4 * 1024 ** 2)) {
    part.notes.push("SKIPPED: a small disk can only be mounted by root");
    return;
  }
  try {
    while (part.loops < loops && !isOver()) await fillOnce(part, disk, random);
  } finally {
    execFileSync("umount", ["-l", disk]);
  }
}

/**
 * @param {Part} part
 * @param {string} disk
 * @param {import("./random.js").Random} random
 */
async function fillOnce(part, disk, random) {
  part.loops += 1;
  const stateDir = await mkdtemp(join(disk, "state-"));
  const filler = join(disk, "filler");
  await writeFile(filler, Buffer.alloc(random.whole(1, 3) * 1024 ** 2));
  const told = createTold();
  const order = {
    work: /** @type {const} */ ("write"),
    stateDir,
    segmentMaxBytes: 262_144,
    inFlight: 3,
  };
  const ending = new AbortController();
  const settings = { told, killOn: ending.signal };
  const running = runWriter(part, { ...order, pauseMs: 1 }, settings);
  const refusedBefore = await reaches(() => told.refused.size > 0);
  if (refusedBefore) part.faults += 1;
  else part.notes.push("the small disk did not fill up");
  const acknowledged = told.acknowledged.size;
  await rm(filler);
  const goesOn = await reaches(() => told.acknowledged.size > acknowledged);
  ending.abort();
  if (refusedBefore && !goesOn) {
    part.broken += 1;
    part.notes.push("nothing was written once there was room again");
  }
  await running;
  await judge(part, stateDir, told);
}

/** @param {() => boolean} condition */
async function reaches(condition) {
  const deadlineMs = performance.now() + patienceMs;
  while (!condition() && performance.now() < deadlineMs) await wait(10);
  return condition();
}
