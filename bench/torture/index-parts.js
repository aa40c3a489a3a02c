/**
 * The embedded index: a command that takes the spool into it is killed in the middle, again and again,
 * also while it makes the database. The next one opens it without help, and every decision is there
 * once.
 */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compare } from "./found-records.js";
import { createTold, runWriter } from "./run-writer.js";

/**
 * @typedef {import("./tally.js").Part} Part
 * @typedef {import("./spool-parts.js").Setting} Setting
 * @typedef {{ config: string, stateDir: string, env: Record<string, string> }} Place
 * @typedef {{ code: number | null, killed: boolean, out: string, err: string, ms: number }} Ended
 */

const bin = fileURLToPath(new URL("../../dist/bin/main.js", import.meta.url));
/** So many kills on one database before it is looked at. */
const perDatabase = 8;
/** How long a command takes that makes the database, until one has been measured. */
const firstGuessMs = 4000;
/** The most that it lists; more than one database gets. */
const listMax = "10000";

/** @type {readonly [string, number, (part: Part, setting: Setting) => Promise<void>][]} */
export const indexParts = [["index killed", 0.03, killIndexing]];

/**
 * @param {Part} part
 * @param {Setting} setting
 */
async function killIndexing(part, { folder, random, loops, isOver }) {
  let wholeMs = firstGuessMs;
  for (let database = 1; part.loops < loops && !isOver(); database += 1) {
    const place = prepare(join(folder, String(database)));
    const told = createTold();
    for (let kill = 0; kill < perDatabase && part.loops < loops && !isOver(); kill += 1) {
      part.loops += 1;
      await write(part, place, told, random);
      const killAfterMs = random.between(0, wholeMs);
      const { killed, ms } = await run(place, ["decision", "list", "--limit", "1"], killAfterMs);
      if (killed) part.kills += 1;
      else wholeMs = ms;
    }
    await judge(part, place, told);
  }
}

/** @param {string} folder */
function prepare(folder) {
  const stateDir = join(folder, "state");
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const config = join(folder, "mcp-gateway.config.json");
  const settings = { agent: { id: "torture" }, user: { id: "torture" }, servers: {} };
  writeFileSync(config, JSON.stringify(settings), { mode: 0o600 });
  const { PATH = "" } = process.env;
  const env = { PATH, HOME: folder, MCP_GATEWAY_STATE: stateDir, MCP_GATEWAY_LOG: "error" };
  return { config, stateDir, env };
}

/**
 * A writer of its own, which may be killed too.
 *
 * @param {Part} part
 * @param {Place} place
 * @param {import("./run-writer.js").Told} told
 * @param {import("./random.js").Random} random
 */
async function write(part, { stateDir }, told, random) {
  const order = {
    work: /** @type {const} */ ("write"),
    stateDir,
    inFlight: 4,
    segmentMaxBytes: 65_536,
    count: random.whole(100, 600),
  };
  const settings = random.isTrue(0.3) ? { killAfterMs: random.between(20, 100) } : {};
  await runWriter(part, order, { told, ...settings });
}

/**
 * What commands say who were not killed.
 *
 * @param {Part} part
 * @param {Place} place
 * @param {import("./run-writer.js").Told} told
 */
async function judge(part, place, told) {
  const listed = await run(place, ["decision", "list", "--limit", listMax, "-o", "json"]);
  const verified = await run(place, ["audit", "verify"]);
  for (const { code, err } of [listed, verified]) {
    if (code !== 0) note(part, `a command ended with ${code}: ${err.slice(0, 600)}`);
  }
  if (listed.code !== 0) return;
  /** @type {Map<string, number>} */
  const ids = new Map();
  for (const { decision_id: id } of JSON.parse(listed.out).items) {
    ids.set(id, (ids.get(id) ?? 0) + 1);
  }
  compare(part, told, { ids, argsSha256: new Map() });
}

/**
 * @param {Part} part
 * @param {string} problem
 */
function note(part, problem) {
  part.broken += 1;
  part.notes.push(problem);
}

/**
 * @param {Place} place
 * @param {readonly string[]} words
 * @param {number} [killAfterMs]
 * @returns {Promise<Ended>}
 */
async function run({ config, env }, words, killAfterMs) {
  const began = performance.now();
  const child = spawn(process.execPath, [bin, ...words, "--config", config], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err, killed] = ["", "", false];
  child.stdout.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
    err += err.length < 2000 ? text : "";
  });
  const kill = () => {
    killed = child.kill("SIGKILL");
  };
  const timer = killAfterMs === undefined ? undefined : setTimeout(kill, killAfterMs);
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  clearTimeout(timer);
  return { code, killed, out, err, ms: performance.now() - began };
}
