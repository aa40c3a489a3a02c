/**
 * A process that is there to be killed: it writes decisions with the gateway's own code, or recovers
 * what others left, or brings all of it into the store. Each decision is told on stdout before it is
 * written (`?`), once it is acknowledged (`+`) and where it is refused (`-`).
 */
import { writeSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { newId, systemClock } from "../../dist/config/ambient.js";
import { createDecisionLog } from "../../dist/decision/decision-log.js";
import { recoverWriter } from "../../dist/decision/spool/quarantine.js";
import {
  isWriterAlive,
  listWriters,
  spoolFolder,
} from "../../dist/decision/spool/writer-folder.js";
import { sampleAdmission, sampleOutcome } from "./sample-records.js";

/**
 * @typedef {{ work: "write" | "recover" | "drain", stateDir: string, url?: string, logs?: number,
 *   inFlight?: number, pauseMs?: number, segmentMaxBytes?: number, minFreeBytes?: number,
 *   count?: number }} WriterOrder
 */

/** @type {WriterOrder} */
const order = JSON.parse(process.argv[2] ?? "{}");
const { stateDir, url } = order;
const store = url === undefined ? { kind: /** @type {const} */ ("embedded") } : postgresAt(url);
const silent = { error: ignore, warn: ignore, info: ignore, debug: ignore, child: () => silent };

function ignore() {
  // Nobody reads it.
}

say(`!${process.pid}`);
switch (order.work) {
  case "write":
    await Promise.all(Array.from({ length: order.logs ?? 1 }, write));
    break;
  case "recover":
    await recoverAll();
    break;
  case "drain":
    await drain();
}

/** @param {string} text */
function say(text) {
  for (;;) {
    try {
      writeSync(1, `${text}\n`);
      return;
    } catch (thrown) {
      // Whoever reads may be slower than a busy machine lets it be.
      if (!(thrown instanceof Error) || !("code" in thrown) || thrown.code !== "EAGAIN")
        throw thrown;
    }
  }
}

/** @param {string} at */
function postgresAt(at) {
  return { kind: /** @type {const} */ ("postgres"), url: at };
}

function open() {
  const { segmentMaxBytes = 32 * 1024, minFreeBytes = 0 } = order;
  return createDecisionLog({
    stateDir,
    store,
    clock: systemClock,
    log: silent,
    newId,
    limits: { spoolMaxBytes: Number.MAX_SAFE_INTEGER, segmentMaxBytes, minFreeBytes },
    onFailure: "fail_operation",
    durability: "sync",
    // They are compared with what was sent.
    mask: { mask: (_, encoded) => encoded },
    checkpoints: { folder: undefined, key: undefined, everyMs: 1000 },
  });
}

async function write() {
  const log = await open();
  let left = order.count ?? Number.POSITIVE_INFINITY;
  const admitOn = async () => {
    while (left > 0) {
      left -= 1;
      await admitOne(log);
      if (order.pauseMs !== undefined) await wait(Math.random() * 2 * order.pauseMs);
    }
  };
  await Promise.all(Array.from({ length: order.inFlight ?? 3 }, admitOn));
  await log.close();
}

/** @param {Awaited<ReturnType<typeof open>>} log */
async function admitOne(log) {
  const record = sampleAdmission(newId(), Date.now());
  const { decisionId } = record;
  say(`?${decisionId}`);
  try {
    await log.admit(record);
    say(`+${decisionId}`);
  } catch {
    say(`-${decisionId}`);
    await wait(5);
    return;
  }
  log.settle(sampleOutcome(decisionId, Date.now()));
}

async function recoverAll() {
  const spool = spoolFolder(stateDir, store.kind);
  for (const writer of await listWriters(spool)) {
    if (await isWriterAlive(join(spool, writer), systemClock)) continue;
    await recoverWriter(spool, writer, silent);
  }
}

/** Until nothing of anybody else is left. */
async function drain() {
  const log = await open();
  const spool = spoolFolder(stateDir, store.kind);
  const { writer } = log.status();
  while ((await readdir(spool)).some((name) => !name.startsWith(".") && name !== writer)) {
    await wait(100);
  }
  await log.close();
}
