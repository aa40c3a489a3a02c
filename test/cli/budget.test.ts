/**
 * `budget list|grant|reset` on the store that a gateway counts in.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { openJournalStore } from "../../src/policy/usage/journal-store.ts";
import { chargeOf } from "../policy/usage/racers.ts";
import type { CliOutcome } from "../support/cli-run.ts";
import { runCli } from "../support/cli-run.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

let folder = "";

const alice = chargeOf({ name: "refunds", limit: 10 }, { amount: 2.5 });
const bob = chargeOf({ name: "refunds", limit: 10 }, { user: "bob", amount: 10 });

beforeEach(async () => {
  folder = temporaryFolder();
  mkdirSync(join(folder, "state"), { mode: 0o700 });
  const config = { agent: { id: "a" }, user: { id: "u" }, servers: {} };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config), { mode: 0o600 });
  const usage = join(folder, "state", "usage");
  const store = openJournalStore({ folder: usage, clock: { nowMs: () => Date.now() } });
  await store.reserve([alice]);
  await store.reserve([bob]);
  await store.close();
});

function budget(...args: readonly string[]): Promise<CliOutcome> {
  const env = { HOME: folder, MCP_GATEWAY_STATE: join(folder, "state"), USER: "carol" };
  return runCli(["budget", ...args, "-c", "config.json"], folder, env);
}

/** Everything in the spool. */
function recorded(): string {
  const spool = join(folder, "state", "spool");
  const paths = readdirSync(spool, { recursive: true, encoding: "utf8" });
  const files = paths.map((path) => join(spool, path)).filter((path) => statSync(path).isFile());
  return files.map((path) => readFileSync(path, "utf8")).join("");
}

async function limits(): Promise<unknown> {
  const { out } = await budget("list", "-o", "json");
  return JSON.parse(out).items;
}

describe("budget", { timeout: 60_000 }, () => {
  test("list prints each counter with what is left", async () => {
    const { out, exitCode } = await budget("list");
    expect(out.split("\n").map((line) => line.split(/\s{2,}/))).toEqual([
      ["LAYER", "COUNTER", "KEY", "USED", "LIMIT", "LEFT", "RESETS"],
      ["crm", "refunds", "user=alice", "2.5", "10", "7.5", "-"],
      ["crm", "refunds", "user=bob", "10", "10", "0", "-"],
    ]);
    expect(exitCode).toBe(0);
    const { out: one } = await budget("list", "--key", "user=bob", "-o", "jsonl");
    expect(JSON.parse(one)).toMatchObject({ key: { user: "bob" }, used: 10, remaining: 0 });
    expect((await budget("list", "--layer", "mail")).err).toBe("nothing was counted yet");
  });

  test("grant raises one limit, on record", async () => {
    const which = ["crm", "refunds", "--key", "user=bob"];
    const why = ["--why", "black friday"];
    const { exitCode } = await budget("grant", ...which, "--amount", "5", "--for", "2h", ...why);
    expect(exitCode).toBe(0);
    expect(await limits()).toMatchObject([
      { limit: 10, granted: 0 },
      { limit: 15, granted: 5, remaining: 5 },
    ]);
    expect(recorded()).toContain('"action":"budget_grant"');
    expect(recorded()).toContain('"reason":"black friday"');
  });

  test("reset begins one key anew, or all of them", async () => {
    const why = ["--why", "new week"];
    expect((await budget("reset", "crm", "refunds", ...why)).exitCode).toBe(2);
    const { out, exitCode } = await budget("reset", "crm", "refunds", "--key", "user=bob", ...why);
    expect(exitCode).toBe(0);
    expect(
      out
        .split("\n")[1]
        ?.split(/\s{2,}/)
        .slice(2),
    ).toEqual(["user=bob", "0", "10", "10", "-"]);
    expect(await limits()).toMatchObject([{ used: 2.5 }, { used: 0 }]);
    expect((await budget("reset", "crm", "refunds", "--all", ...why)).exitCode).toBe(0);
    expect(await limits()).toMatchObject([{ used: 0 }, { used: 0 }]);
  });

  test.each([
    ["no such counter", ["crm", "payments", "--amount", "5"], 1, "budget_unknown"],
    ["several counters", ["crm", "refunds", "--amount", "5"], 1, "found several"],
    ["no amount", ["crm", "refunds", "--key", "user=bob", "--amount", "0"], 2, "--amount above 0"],
    ["no field", ["crm", "refunds", "--key", "name=bob", "--amount", "5"], 2, "FIELD=VALUE"],
  ])("grant refuses %s and changes nothing", async (_, args, code, message) => {
    const before = await limits();
    const { exitCode, err } = await budget("grant", ...args, "--why", "because");
    expect(exitCode).toBe(code);
    expect(err).toContain(message);
    expect(await limits()).toEqual(before);
  });

  test("nothing is changed where it cannot be recorded", async () => {
    writeFileSync(join(folder, "state", "spool"), "no folder");
    const before = await limits();
    const which = ["crm", "refunds", "--key", "user=bob", "--amount", "5", "--why", "because"];
    expect((await budget("grant", ...which)).exitCode).not.toBe(0);
    expect(await limits()).toEqual(before);
  });
});
