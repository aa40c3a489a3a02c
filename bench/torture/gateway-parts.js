/**
 * The gateway as it is shipped: killed while calls are in flight, with the embedded store and with a
 * Postgres in trouble, with errors of the disk, and on a disk that is full. What its client saw
 * answered and what its server received has to be in the record.
 */
import { hash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openMigrated } from "../../dist/database/open-migrated.js";
import { brokenChains, readSpooled, readStored } from "./found-records.js";
import { prepareSite, runGateway } from "./gateway-process.js";
import { tryMount } from "./small-disk.js";
import { drain, makeTrouble, withPostgres } from "./store-parts.js";

/**
 * @typedef {import("./tally.js").Part} Part
 * @typedef {import("./spool-parts.js").Setting} Setting
 * @typedef {import("./gateway-process.js").Site} Site
 */

const atOnce = 2;
/** A gateway that starts has to reach the store once, to know whom somebody stopped. */
const calmMs = 4000;
/** What the gateway leaves to others on a disk. */
const minFreeBytes = 32 * 1024 ** 2;
/** More than the calls of a run take, so that the disk is full only while the filler is there. */
const roomBytes = 40 * 1024 ** 2;
/** On such a disk; what is refused while it is full takes nothing of it. */
const callsMax = 20_000;

/** @type {readonly [string, number, (part: Part, setting: Setting) => Promise<void>][]} */
export const gatewayParts = [
  ["gateway killed", 0.07, killEmbedded],
  ["gateway killed, postgres", 0.04, killBesidePostgres],
  ["gateway, disk errors", 0.01, injectIntoGateway],
  ["gateway, full disk", 0.002, fillUnderGateway],
];

/**
 * @param {Part} part
 * @param {Setting} setting
 */
async function killEmbedded(part, setting) {
  const site = await prepareSite(setting.folder, {});
  const answered = await killGateways(part, setting, site);
  await judgeSpool(part, site, answered);
}

/**
 * @param {Part} part
 * @param {Setting} setting
 */
async function killBesidePostgres(part, setting) {
  await withPostgres(part, setting, async (chaos, url) => {
    const site = await prepareSite(setting.folder, { decisions: { store: url } });
    const ending = new AbortController();
    const trouble = makeTrouble(chaos, ending.signal, calmMs);
    let answered;
    try {
      answered = await killGateways(part, setting, site);
    } finally {
      ending.abort();
      await trouble;
    }
    await drain(part, site.env["MCP_GATEWAY_STATE"] ?? "", url);
    const database = await openMigrated(chaos.postgres.url("postgres"));
    try {
      judge(part, site, answered, (await readStored(database)).argsSha256);
      note(part, await brokenChains(database));
    } finally {
      await database.close();
    }
  });
}

/**
 * Several gateways on one state folder, one wave after the other.
 *
 * @param {Part} part
 * @param {Setting} setting
 * @param {Site} site
 */
async function killGateways(part, { random, loops, isOver }, site) {
  /** @type {string[]} */
  const answered = [];
  while (part.loops < loops && !isOver()) {
    const wave = Array.from({ length: atOnce }, async () => {
      part.loops += 1;
      const { heard, killed } = await runGateway(site, {
        prefix: String(part.loops),
        inFlight: random.whole(1, 16),
        // As many as it takes: it is refused all of them while the store is away.
        calls: Number.POSITIVE_INFINITY,
        killAfterMs: random.between(0, 900),
      });
      if (killed) part.kills += 1;
      part.refused += heard.refused.length;
      answered.push(...heard.answered);
    });
    await Promise.all(wave);
  }
  return answered;
}

/**
 * @param {Part} part
 * @param {Setting} setting
 */
async function injectIntoGateway(part, setting) {
  const { random, loops, isOver } = setting;
  const site = await prepareSite(setting.folder, {});
  /** @type {string[]} */
  const answered = [];
  while (part.loops < loops && !isOver()) {
    part.loops += 1;
    part.faults += 1;
    const from = random.whole(3, 10);
    const fault = random.pick([
      `fdatasync:error=EIO:when=${from}+2`,
      `pwrite64:error=ENOSPC:when=${from}..${from + 30}`,
    ]);
    const { heard } = await runGateway(site, {
      prefix: String(part.loops),
      inFlight: 4,
      calls: 60,
      injected: [fault],
    });
    part.refused += heard.refused.length;
    answered.push(...heard.answered);
  }
  await judgeSpool(part, site, answered);
}

/**
 * Calls are answered, refused once the disk is full, and answered again once it is not.
 *
 * @param {Part} part
 * @param {Setting} setting
 */
async function fillUnderGateway(part, { folder }) {
  const disk = join(folder, "disk");
  mkdirSync(disk);
  if (!tryMount(disk, minFreeBytes + roomBytes)) {
    part.notes.push("SKIPPED: a small disk can only be mounted by root");
    return;
  }
  try {
    part.loops += 1;
    const stateDir = join(disk, "state");
    const site = await prepareSite(folder, { stateDir });
    const filler = join(disk, "filler");
    let refusedUntil = 0;
    const { heard } = await runGateway(site, {
      prefix: "full",
      inFlight: 4,
      calls: callsMax,
      fillerBytes: 6000,
      isEnough: ({ answered }) => refusedUntil > 0 && answered.length >= refusedUntil + 100,
      onAnswer: ({ answered, refused }) => {
        const count = answered.length + refused.length;
        if (count === 200) writeFileSync(filler, Buffer.alloc(bytesFree(disk) - minFreeBytes));
        if (refused.length === 50 && refusedUntil === 0) {
          rmSync(filler);
          refusedUntil = answered.length;
        }
      },
    });
    part.refused += heard.refused.length;
    if (refusedUntil === 0 || heard.answered.length <= refusedUntil) {
      note(part, ["expected refusals while the disk was full, and answers after it"]);
    } else part.faults += 1;
    await judgeSpool(part, site, heard.answered);
  } finally {
    execFileSync("umount", ["-l", disk]);
  }
}

/** @param {string} disk */
function bytesFree(disk) {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}

/**
 * @param {Part} part
 * @param {Site} site
 * @param {readonly string[]} answered
 */
async function judgeSpool(part, site, answered) {
  const stateDir = site.env["MCP_GATEWAY_STATE"] ?? "";
  judge(part, site, answered, (await readSpooled(stateDir)).argsSha256);
  note(part, await brokenChains(stateDir));
}

/**
 * @param {Part} part
 * @param {readonly string[]} broken
 */
function note(part, broken) {
  part.broken += broken.length;
  part.notes.push(...broken);
}

/**
 * @param {Part} part
 * @param {Site} site
 * @param {readonly string[]} answered
 * @param {ReadonlyMap<string, number>} recorded
 */
function judge(part, { received }, answered, recorded) {
  // The server may have been killed in the middle of a line.
  const forwarded = readFileSync(received, "utf8").split("\n").slice(0, -1);
  const isMissing = (/** @type {string} */ args) => !recorded.has(`sha256:${hash("sha256", args)}`);
  part.acknowledged += answered.length;
  part.forwarded += forwarded.length;
  part.lost += answered.filter(isMissing).length;
  part.unrecorded += forwarded.filter(isMissing).length;
  part.duplicated += [...recorded.values()].filter((times) => times > 1).length;
  part.duplicated += forwarded.length - new Set(forwarded).size;
  if (answered.length === 0 && part.loops > 0) note(part, ["no call was answered"]);
}
