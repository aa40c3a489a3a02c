/**
 * The journal's own cases: files that end, lines that are torn, clocks.
 */
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openJournalStore } from "../../../src/policy/usage/journal-store.ts";
import { laterMark, nextMark } from "../../../src/policy/usage/journal-time.ts";
import type { UsageStore } from "../../../src/policy/usage/usage-store.ts";
import { toMillionths } from "../../../src/policy/usage/usage-store.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { chargeOf } from "./racers.ts";

const hourMs = 3_600_000;

function open(folder: string, clock = { nowMs: () => Date.now() }, upMs?: () => number) {
  const store = openJournalStore({ folder, clock, ...(upMs === undefined ? {} : { upMs }) });
  onTestFinished(() => store.close());
  return store;
}

/** Fills the file that is written now until it is ended; a window's end leaves nothing of it. */
async function endFile(store: UsageStore): Promise<void> {
  const name = `pad${"x".repeat(1_200_000)}`;
  const charge = chargeOf({ name, window: { type: "sliding", ms: 1_000 } });
  for (let made = 0; made < 3; made += 1) await store.reserve([charge]);
  await store.list("[");
}

describe("a journal of counters", { timeout: 120_000 }, () => {
  test("goes on in a next file, for processes that had the ended one open too", async () => {
    const folder = join(temporaryFolder(), "usage");
    const [one, other] = [open(folder), open(folder)];
    const limit = 9_000;
    const charge = chargeOf({ limit });
    let admitted = 0;
    for (let round = 0; round < 20; round += 1) {
      const calls = Array.from({ length: 250 }, () => [one, other].map((s) => s.reserve([charge])));
      const all = await Promise.all(calls.flat());
      admitted += all.filter(({ isAdmitted }) => isAdmitted).length;
    }
    expect(admitted).toBe(limit);
    const files = readdirSync(folder);
    expect(files.length).toBeLessThanOrEqual(2);
    expect(files).not.toContain("00000001.jsonl");
    const [state] = await open(folder).list("[");
    expect(state?.used).toBe(toMillionths(limit));
    expect((await other.reserve([charge])).isAdmitted).toBe(false);
  });

  test("does not begin an old file again for a process that slept while others went on", async () => {
    const folder = join(temporaryFolder(), "usage");
    const [idle, busy] = [open(folder), open(folder)];
    await idle.reserve([chargeOf({ name: "other" })]);
    for (let made = 0; made < 6; made += 1) await endFile(busy);
    const files = readdirSync(folder);
    expect(files).not.toContain("00000002.jsonl");
    const budget = chargeOf({ limit: 5 });
    let admitted = 0;
    for (let round = 0; round < 5; round += 1) {
      for (const store of [busy, idle]) {
        if ((await store.reserve([budget])).isAdmitted) admitted += 1;
      }
    }
    expect(admitted).toBe(5);
    expect(readdirSync(folder)).not.toContain("00000002.jsonl");
  });

  test("keeps the conversations that are under way for the next file, and no others", async () => {
    const folder = join(temporaryFolder(), "usage");
    let upMs = 1_000;
    const startMs = Date.now();
    const clock = { nowMs: () => startMs + upMs };
    const store = open(folder, clock, () => upMs);
    const joining = { key: "alice", conversation: "c1", silenceMs: hourMs };
    await store.join(joining);
    await store.join({ ...joining, key: "bob", silenceMs: 10 });
    upMs += 1_000;
    await endFile(store);
    await endFile(store);
    const newest = readdirSync(folder).at(-1) ?? "";
    expect(newest > "00000001.jsonl").toBe(true);
    expect(readFileSync(join(folder, newest), "utf8")).not.toContain("bob");
    expect(await open(folder, clock, () => upMs).join({ ...joining, conversation: "c2" })).toBe(
      "c1",
    );
  });

  test("passes over half a line of a crash", async () => {
    const folder = join(temporaryFolder(), "usage");
    const charge = chargeOf({ limit: 2 });
    await open(folder).reserve([charge]);
    appendFileSync(join(folder, "00000001.jsonl"), '\n{"op":"reserve","id":"x","charg');
    const store = open(folder);
    expect((await store.reserve([charge])).isAdmitted).toBe(true);
    expect((await store.reserve([charge])).isAdmitted).toBe(false);
  });

  test("says that its folder cannot be used, and goes on once it can", async () => {
    const folder = join(temporaryFolder(), "usage");
    writeFileSync(folder, "");
    const store = open(folder);
    const refused = store.reserve([chargeOf()]);
    await expect(refused).rejects.toMatchObject({ code: "usage_store_unavailable" });
    await expect(refused).rejects.toThrow(/repair the state folder/);
    rmSync(folder);
    expect((await store.reserve([chargeOf()])).isAdmitted).toBe(true);
  });

  test("forgets a counter whose window is long over", async () => {
    const folder = join(temporaryFolder(), "usage");
    let upMs = 1_000;
    const startMs = Date.now();
    const clock = { nowMs: () => startMs + upMs };
    const store = open(folder, clock, () => upMs);
    await store.reserve([chargeOf({ window: { type: "sliding", ms: hourMs } })]);
    await store.reserve([chargeOf({ name: "budget" })]);
    upMs += 3 * hourMs;
    expect((await store.list("[")).map(({ limit }) => limit)).toHaveLength(1);
  });
});

describe("the time of a journal", () => {
  const boot = "b1";
  const last = { atMs: 1_000_000, upMs: 5_000, boot };

  test("is the wall clock's at first", () => {
    expect(nextMark(undefined, { nowMs: 42, upMs: 1, boot })).toEqual({ atMs: 42, upMs: 1, boot });
  });

  test("turns towards a clock that jumped by a tenth of what passed", () => {
    const upMs = last.upMs + 10_000;
    const ahead = nextMark(last, { nowMs: last.atMs + 2 * hourMs, upMs, boot });
    expect(ahead.atMs).toBe(last.atMs + 11_000);
    const behind = nextMark(last, { nowMs: last.atMs - 2 * hourMs, upMs, boot });
    expect(behind.atMs).toBe(last.atMs + 9_000);
    const right = nextMark(last, { nowMs: last.atMs + 10_000, upMs, boot });
    expect(right.atMs).toBe(last.atMs + 10_000);
  });

  test("is the wall clock's after a start of the machine, but never goes back", () => {
    const after = { upMs: 10, boot: "b2" };
    expect(nextMark(last, { nowMs: last.atMs + hourMs, ...after }).atMs).toBe(last.atMs + hourMs);
    expect(nextMark(last, { nowMs: last.atMs - hourMs, ...after }).atMs).toBe(last.atMs);
  });

  test("does not go back with entries that are out of order", () => {
    expect(laterMark(last, { atMs: 999_990, upMs: 4_990, boot })).toEqual(last);
  });
});
