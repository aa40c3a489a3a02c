/**
 * The way into Postgres: writers killed while they ship and while they take in what dead ones left,
 * with a Postgres that is cut off, frozen, crashed and started again, and whose replies get lost.
 */
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { openMigrated } from "../../dist/database/open-migrated.js";
import { brokenChains, compare, readStored } from "./found-records.js";
import { findPostgres, startPostgres } from "./postgres.js";
import { createTold, runWriter } from "./run-writer.js";
import { startProxy } from "./tcp-proxy.js";

/**
 * @typedef {import("./tally.js").Part} Part
 * @typedef {import("./spool-parts.js").Setting} Setting
 * @typedef {Awaited<ReturnType<typeof startProxy>>} Proxy
 * @typedef {import("./postgres.js").Postgres} Postgres
 * @typedef {{ part: Part, postgres: Postgres, proxy: Proxy, random: import("./random.js").Random,
 *   isOver: () => boolean }} Chaos
 */

const atOnce = 3;
const drainMs = 120_000;

/** @type {readonly [string, number, (part: Part, setting: Setting) => Promise<void>][]} */
export const storeParts = [
  ["shipping killed", 0.2, killShipping],
  ["reply lost", 0.02, loseReplies],
];

/**
 * A Postgres of its own behind a proxy; `work` gets the URL through the proxy. Nothing where there
 * are no binaries.
 *
 * @param {Part} part
 * @param {Setting} setting
 * @param {(chaos: Chaos, url: string) => Promise<void>} work
 */
export async function withPostgres(part, { folder, random, isOver }, work) {
  const binaries = findPostgres();
  if (binaries === undefined) {
    part.notes.push("SKIPPED: there is no postgres in /usr/lib/postgresql");
    return;
  }
  const postgres = await startPostgres(binaries, folder);
  const proxy = await startProxy(postgres.port);
  try {
    await work({ part, postgres, proxy, random, isOver }, postgres.url("postgres", proxy.port));
  } finally {
    await proxy.close();
    await postgres.stop();
  }
}

/**
 * @param {Part} part
 * @param {Setting} setting
 */
async function killShipping(part, setting) {
  await withPostgres(part, setting, async (chaos, url) => {
    const { random, isOver, proxy, postgres } = chaos;
    const stateDir = await mkdtemp(join(setting.folder, "state-"));
    const told = createTold();
    const ending = new AbortController();
    const trouble = makeTrouble(chaos, ending.signal, 900);
    try {
      while (part.loops < setting.loops && !isOver()) {
        const wave = Array.from({ length: atOnce }, async () => {
          part.loops += 1;
          const work = /** @type {const} */ ("write");
          const order = { work, stateDir, url, inFlight: random.whole(1, 4), pauseMs: 4 };
          await runWriter(part, order, { told, killAfterMs: random.between(100, 2200) });
        });
        await Promise.all(wave);
      }
    } finally {
      ending.abort();
      await trouble;
    }
    await drain(part, stateDir, postgres.url("postgres", proxy.port));
    await judge(part, told, postgres.url("postgres"));
  });
}

/**
 * Commits arrive, their replies do not, and then the connection ends: again and again under one
 * writer that lives.
 *
 * @param {Part} part
 * @param {Setting} setting
 */
async function loseReplies(part, setting) {
  await withPostgres(part, setting, async ({ random, isOver, proxy, postgres }, url) => {
    const stateDir = await mkdtemp(join(setting.folder, "state-"));
    const told = createTold();
    const order = { work: /** @type {const} */ ("write"), stateDir, url, inFlight: 2, pauseMs: 10 };
    while (part.loops < setting.loops && !isOver()) {
      part.loops += 1;
      const running = runWriter(part, order, { told, killAfterMs: 5000 });
      await wait(1200);
      for (let time = 0; time < 3; time += 1) {
        const before = proxy.swallowed();
        proxy.setMode("swallow");
        await wait(random.between(300, 900));
        proxy.cut();
        proxy.setMode("pass");
        if (proxy.swallowed() > before) part.faults += 1;
        await wait(random.between(200, 700));
      }
      await running;
    }
    await drain(part, stateDir, url);
    await judge(part, told, postgres.url("postgres"));
  });
}

/**
 * One trouble after the other until the end; leaves everything well.
 *
 * @param {Chaos} chaos
 * @param {AbortSignal} ending
 * @param {number} calmMs between two of them, at most
 */
export async function makeTrouble({ part, postgres, proxy, random }, ending, calmMs) {
  const troubles = [
    async () => proxy.cut(),
    async () => {
      proxy.setMode("refuse");
      proxy.cut();
      await wait(random.between(100, 1500));
      proxy.setMode("pass");
    },
    async () => {
      proxy.setMode("swallow");
      await wait(random.between(100, 900));
      proxy.cut();
      proxy.setMode("pass");
    },
    async () => {
      postgres.freeze();
      await wait(random.between(100, 1500));
      postgres.thaw();
    },
    async () => {
      await postgres.stop();
      await wait(random.between(0, 800));
      await postgres.start();
    },
  ];
  while (!ending.aborted) {
    await wait(random.between(50, calmMs));
    await random.pick(troubles)();
    part.faults += 1;
  }
}

/**
 * Everything that the dead left goes into the store.
 *
 * @param {Part} part
 * @param {string} stateDir
 * @param {string} url
 */
export async function drain(part, stateDir, url) {
  const late = wait(drainMs, "late", { ref: false });
  const done = await Promise.race([runWriter(part, { work: "drain", stateDir, url }, {}), late]);
  if (done === "late") throw new Error("the spools of ended writers do not get into the store");
}

/**
 * @param {Part} part
 * @param {import("./run-writer.js").Told} told
 * @param {string} url
 */
async function judge(part, told, url) {
  const database = await openMigrated(url);
  try {
    compare(part, told, await readStored(database));
    const broken = await brokenChains(database);
    part.broken += broken.length;
    part.notes.push(...broken);
  } finally {
    await database.close();
  }
}
