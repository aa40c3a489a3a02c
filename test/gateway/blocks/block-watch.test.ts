/**
 * Two gateways' views of what is blocked: on one machine, on one Postgres, with the store away, after
 * a restart.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { newId, systemClock } from "../../../src/config/ambient.ts";
import type { DecisionsConfig } from "../../../src/config/config.ts";
import { BlockWatch } from "../../../src/gateway/blocks/block-watch.ts";
import { openBlockSources } from "../../../src/gateway/blocks/open-block-stores.ts";
import { startTcpProxy } from "../../decision/tcp-proxy.ts";
import { eventually } from "../../support/eventually.ts";
import { createTestLog } from "../../support/log.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { alice, principal } from "../open-gateway.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

const open = new Set<BlockWatch>();
afterEach(async () => {
  await Promise.all([...open].map((watch) => watch.close()));
  open.clear();
});

function watchIn(stateDir: string, store: DecisionsConfig["store"] = { kind: "embedded" }) {
  const tenant = "default";
  const log = createTestLog();
  const hands = { tenant, clock: systemClock, newId, note: async () => {}, scrub: String };
  const quick = { connectTimeoutMs: 1000, queryTimeoutMs: 1000 };
  const sources = openBlockSources({
    stateDir,
    tenant,
    clock: systemClock,
    store,
    postgres: quick,
  });
  const agents = new Map();
  const watch = new BlockWatch({ ...hands, sources, agents, mayStart: Promise.resolve(), log });
  open.add(watch);
  return { watch, log };
}

async function close(watch: BlockWatch): Promise<void> {
  open.delete(watch);
  await watch.close();
}

const bot = { subject: { kind: "agent", id: "bot" }, by: "carol", reason: "it loops" } as const;
const isStopped = (watch: BlockWatch) => watch.stopOf(alice)?.code === "blocked";
const nowhere: DecisionsConfig["store"] = {
  kind: "postgres",
  url: "postgres://x@127.0.0.1:1/none",
};

describe("gateways of one machine", () => {
  test("hear of each other's blocks and lifts, and of those of another tenant nothing", async () => {
    const stateDir = temporaryFolder();
    const [{ watch: one }, { watch: two }] = [watchIn(stateDir), watchIn(stateDir)];
    await Promise.all([one.ready, two.ready]);
    let changes = 0;
    two.onChange(() => (changes += 1));
    await one.block(bot, undefined);
    expect(isStopped(one)).toBe(true);
    await eventually(() => isStopped(two));
    expect(two.list()).toMatchObject([{ kind: "agent", id: "bot", scope: "this_machine" }]);
    await two.lift(bot);
    await eventually(() => !isStopped(one));
    expect(changes).toBe(2);
  });

  test("remember after a restart", async () => {
    const stateDir = temporaryFolder();
    const { watch } = watchIn(stateDir);
    await watch.block(bot, undefined);
    await close(watch);
    const { watch: next } = watchIn(stateDir);
    await next.ready;
    expect(isStopped(next)).toBe(true);
  });

  test("cannot block for others, and say so", async () => {
    const { watch } = watchIn(temporaryFolder());
    const asked = watch.block(bot, "everywhere");
    await expect(asked).rejects.toMatchObject({ code: "block_invalid" });
  });

  test("serve nobody while what is blocked cannot be read", async () => {
    const stateDir = temporaryFolder();
    mkdirSync(join(stateDir, "blocks"));
    writeFileSync(join(stateDir, "blocks", "local.json"), "{");
    const { watch, log } = watchIn(stateDir);
    await watch.ready;
    expect(watch.stopOf(alice)).toEqual({ code: "state_unavailable" });
    expect(log.lines.filter(({ level }) => level === "error")).toHaveLength(1);
  });
});

describe("a gateway that never heard of its shared store", () => {
  test("serves nobody, and says why once", async () => {
    const { watch, log } = watchIn(temporaryFolder(), nowhere);
    await watch.ready;
    expect(watch.isKnown()).toBe(false);
    expect(watch.stopOf(principal("anybody"))).toEqual({ code: "state_unavailable" });
    expect(watch.away()).toEqual(["everywhere"]);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const errors = log.lines.filter(({ level }) => level === "error");
    expect(errors).toMatchObject([{ data: { code: "database_unreachable" } }]);
  });

  test("still stops what was blocked on this machine", async () => {
    const { watch } = watchIn(temporaryFolder(), nowhere);
    await watch.block(bot, "this_machine");
    expect(isStopped(watch)).toBe(true);
    await expect(watch.block(bot, undefined)).rejects.toMatchObject({
      code: "database_unreachable",
    });
  });
});

describe.runIf(postgres !== undefined)("replicas on one postgres", { timeout: 90_000 }, () => {
  test("hear of blocks and lifts; go on to enforce them while it is away and after a restart", async () => {
    const proxy = await startTcpProxy((await postgres?.createDatabase()) ?? "");
    const store = { kind: "postgres", url: proxy.url } as const;
    const [here, there] = [temporaryFolder(), temporaryFolder()];
    const [{ watch: one }, { watch: two, log }] = [watchIn(here, store), watchIn(there, store)];
    await Promise.all([one.ready, two.ready]);
    expect(two.stopOf(alice)).toBeUndefined();
    const outcome = await one.block(bot, undefined);
    expect(outcome).toMatchObject({ scope: "everywhere", isNew: true });
    await eventually(() => isStopped(two));

    proxy.cut();
    await proxy.close();
    await eventually(() => two.away().length > 0);
    expect(isStopped(two)).toBe(true);
    expect(log.lines.filter(({ level }) => level === "error")).toEqual([]);
    await close(two);
    const { watch: restarted } = watchIn(there, store);
    await restarted.ready;
    expect(isStopped(restarted)).toBe(true);
    expect(restarted.stopOf(principal("other", { agent: { ...alice.agent, id: "other" } }))).toBe(
      undefined,
    );
  });

  test("keep the block of one machine to that machine, and lift both at once", async () => {
    const url = (await postgres?.createDatabase()) ?? "";
    const store = { kind: "postgres", url } as const;
    const [{ watch: one }, { watch: two }] = [
      watchIn(temporaryFolder(), store),
      watchIn(temporaryFolder(), store),
    ];
    await Promise.all([one.ready, two.ready]);
    await one.block(bot, "this_machine");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(isStopped(two)).toBe(false);
    await two.block(bot, undefined);
    await eventually(() => one.list().length === 2);
    expect(await one.lift(bot)).toEqual(["everywhere", "this_machine"]);
    await eventually(() => !isStopped(two));
    expect(isStopped(one)).toBe(false);
  });
});
