/**
 * What is in the record after all, from a spool or from Postgres, against what was told.
 */
import { join } from "node:path";
import { systemClock } from "../../dist/config/ambient.js";
import { spoolChains } from "../../dist/decision/verify-record.js";
import { ChainCheck } from "../../dist/decision/integrity/chain-check.js";
import { recoverWriter } from "../../dist/decision/spool/quarantine.js";
import { readSegment } from "../../dist/decision/spool/read-segment.js";
import { segmentName } from "../../dist/decision/spool/segment.js";
import { listSegments, listWriters, spoolFolder } from "../../dist/decision/spool/writer-folder.js";
import { storeChains } from "../../dist/decision/verify-record.js";

const silent = { error: ignore, warn: ignore, info: ignore, debug: ignore, child: () => silent };

function ignore() {
  // Damage that was made is found.
}

/** @typedef {{ ids: Map<string, number>, argsSha256: Map<string, number> }} Found */

/**
 * Recovers every writer of an embedded spool and reads all admissions, counted.
 *
 * @param {string} stateDir
 * @returns {Promise<Found>}
 */
export async function readSpooled(stateDir) {
  const spool = spoolFolder(stateDir, "embedded");
  const found = { ids: new Map(), argsSha256: new Map() };
  for (const writer of await listWriters(spool)) {
    await recoverWriter(spool, writer, silent);
    for (const number of await listSegments(join(spool, writer))) {
      await readWhole(join(spool, writer, segmentName(number)), found);
    }
  }
  return found;
}

/**
 * @param {string} path
 * @param {Found} found
 */
async function readWhole(path, found) {
  let from = 0;
  for (;;) {
    const read = await readSegment(path, from);
    for (const { payload } of read.frames) {
      const text = payload.toString("utf8");
      if (!text.includes('"kind":"admission"')) continue;
      count(found.ids, /"decision_id":"([^"]+)"/.exec(text)?.[1] ?? "");
      count(found.argsSha256, /"args_sha256":"([^"]+)"/.exec(text)?.[1] ?? "");
    }
    from = read.next;
    if (read.atEnd) return;
  }
}

/**
 * @param {Map<string, number>} counts
 * @param {string} key
 */
function count(counts, key) {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/**
 * @param {import("../../dist/database/database.js").Database} database
 * @returns {Promise<Found>}
 */
export async function readStored(database) {
  const rows = await database.query(
    "SELECT decision_id::text AS id, args_sha256 FROM mcp_gateway.decision WHERE kind = 'admission'",
  );
  const letters = await database.query(
    "SELECT count(*)::int AS n FROM mcp_gateway.decision_dead_letter",
  );
  if (letters[0]?.["n"] !== 0) throw new Error(`found ${String(letters[0]?.["n"])} dead letters`);
  const found = { ids: new Map(), argsSha256: new Map() };
  for (const row of rows) {
    count(found.ids, String(row["id"]));
    count(found.argsSha256, String(row["args_sha256"]));
  }
  return found;
}

/**
 * Writers whose chains are not whole.
 *
 * @param {string | import("../../dist/database/database.js").Database} where state folder or store
 * @returns {Promise<readonly string[]>}
 */
export async function brokenChains(where) {
  const chains =
    typeof where === "string"
      ? spoolChains(spoolFolder(where, "embedded"), systemClock)
      : storeChains(where);
  const broken = [];
  for (const writer of await chains.writers()) {
    const check = new ChainCheck(writer, []);
    for await (const record of chains.chain(writer)) check.next(record);
    const [problem] = check.end();
    if (problem !== undefined) broken.push(`${writer} ${problem.seq}: ${problem.message}`);
  }
  return broken;
}

/**
 * @param {import("./tally.js").Part} part
 * @param {import("./run-writer.js").Told} told
 * @param {Found} found
 */
export function compare(part, told, { ids }) {
  part.acknowledged += told.acknowledged.size;
  part.refused += told.refused.size;
  part.lost += [...told.acknowledged].filter((id) => !ids.has(id)).length;
  part.revived += [...told.refused].filter((id) => ids.has(id)).length;
  part.duplicated += [...ids.values()].filter((times) => times > 1).length;
  const strange = [...ids.keys()].filter((id) => !told.submitted.has(id)).length;
  if (strange > 0) part.notes.push(`${strange} decisions that nobody made`);
  part.broken += strange;
}
