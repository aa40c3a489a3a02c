import { readFileSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { newId, systemClock } from "../../../src/config/ambient.ts";
import type { NotedRecord } from "../../../src/contract/record.ts";
import type { BlockSubject } from "../../../src/gateway/blocks/block.ts";
import { openBlockFile } from "../../../src/gateway/blocks/block-file.ts";
import type { BlockStore } from "../../../src/gateway/blocks/block-store.ts";
import { openBlockTable } from "../../../src/gateway/blocks/block-table.ts";
import { addBlock, liftBlock } from "../../../src/gateway/blocks/change-blocks.ts";
import { readSubject } from "../../../src/gateway/blocks/read-subject.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());
const kinds = postgres === undefined ? (["file"] as const) : (["file", "table"] as const);

const bot: BlockSubject = { kind: "agent", id: "bot" };
const alice: BlockSubject = { kind: "user", id: "alice" };

const scrub = (text: string): string => text.replaceAll("hunter2", "[masked]");

function handsOf(notes: NotedRecord[], tenant = "default") {
  const note = async (record: NotedRecord) => void notes.push(record);
  return { tenant, clock: systemClock, newId, note, scrub };
}

describe.each(kinds)("a %s of blocks", { timeout: 60_000 }, (kind) => {
  async function openTwo(): Promise<readonly [BlockStore, BlockStore, BlockStore]> {
    if (kind === "table") {
      const url = (await postgres?.createDatabase()) ?? "";
      const of = (tenant: string) => openBlockTable({ url, tenant });
      return [of("default"), of("default"), of("other")];
    }
    const stateDir = temporaryFolder();
    const of = (tenant: string) => openBlockFile({ stateDir, tenant, clock: systemClock });
    return [of("default"), of("default"), of("other")];
  }
  const idsIn = async (store: BlockStore) =>
    (await store.read(undefined)).blocks?.map(({ id }) => id);

  test("says what was blocked, by whom, when and why; and nothing where nothing changed", async () => {
    const [one, two, other] = await openTwo();
    const first = await two.read(undefined);
    expect(first.blocks).toEqual([]);
    const notes: NotedRecord[] = [];
    const wish = { subject: bot, by: "carol", reason: "it loops" };
    const outcome = await addBlock(handsOf(notes), one, wish);
    expect(outcome).toMatchObject({ isNew: true, scope: one.scope });
    const { revision, blocks } = await two.read(first.revision);
    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(blocks).toEqual([{ ...bot, by: "carol", at, reason: "it loops" }]);
    expect(blocks).toEqual([outcome.block]);
    expect(await two.read(revision)).toEqual({ revision, blocks: undefined });
    expect(await idsIn(other)).toEqual([]);
    await Promise.all([one, two, other].map((store) => store.close()));
  });

  test("has no secret in a reason, and neither has the record", async () => {
    const [one] = await openTwo();
    const notes: NotedRecord[] = [];
    const wish = { subject: bot, by: "carol", reason: "it sent hunter2" };
    const outcome = await addBlock(handsOf(notes), one, wish);
    expect(outcome.block.reason).toBe("it sent [masked]");
    const { blocks } = await one.read(undefined);
    expect(blocks?.map(({ reason }) => reason)).toEqual(["it sent [masked]"]);
    await liftBlock(handsOf(notes), [one], { ...wish, reason: "hunter2 is gone" });
    expect(notes.map((note) => note.kind === "admin" && note.reason)).toEqual([
      "it sent [masked]",
      "[masked] is gone",
    ]);
    await one.close();
  });

  test("keeps the first of two blocks of one thing, and records only that one", async () => {
    const [one, two] = await openTwo();
    const notes: NotedRecord[] = [];
    await addBlock(handsOf(notes), one, { subject: bot, by: "carol", reason: null });
    const again = { subject: bot, by: "dave", reason: "too" };
    expect(await addBlock(handsOf(notes), two, again)).toMatchObject({
      isNew: false,
      block: { by: "carol" },
    });
    expect(notes).toHaveLength(1);
    await Promise.all([one.close(), two.close()]);
  });

  test("loses none of many that are blocked at once", async () => {
    const [one, two] = await openTwo();
    const ids = Array.from({ length: 12 }, (_, index) => `agent-${index}`);
    await Promise.all(
      ids.map((id, index) =>
        (index % 2 === 0 ? one : two).add({
          kind: "agent",
          id,
          by: "carol",
          at: new Date().toISOString(),
          reason: null,
        }),
      ),
    );
    expect((await idsIn(one))?.toSorted()).toEqual(ids.toSorted());
    await Promise.all([one.close(), two.close()]);
  });

  test("records a lift before it happens, and lifts only what is blocked", async () => {
    const [one, two, other] = await openTwo();
    const notes: NotedRecord[] = [];
    const hands = handsOf(notes);
    await addBlock(hands, one, { subject: bot, by: "carol", reason: null });
    await addBlock(hands, one, { subject: alice, by: "carol", reason: null });
    await addBlock(handsOf([], "other"), other, { subject: bot, by: "carol", reason: null });
    const wish = { subject: bot, by: "dave", reason: "fixed" };
    expect(await liftBlock(hands, [two], wish)).toEqual([one.scope]);
    expect(await idsIn(one)).toEqual(["alice"]);
    expect(await idsIn(other)).toEqual(["bot"]);
    expect(notes.at(-1)).toMatchObject({
      kind: "admin",
      action: "lift",
      subject: "agent bot",
      by: "dave",
      reason: "fixed",
      details: { kind: "agent", id: "bot", scopes: [one.scope] },
    });
    await expect(liftBlock(hands, [two], wish)).rejects.toMatchObject({ code: "block_unknown" });
    expect(notes).toHaveLength(3);
    await Promise.all([one, two, other].map((store) => store.close()));
  });

  test("is left as it is where the record cannot be written", async () => {
    const [one] = await openTwo();
    const note = () => Promise.reject(new Error("disk"));
    const hands = { ...handsOf([]), note };
    const wish = { subject: bot, by: "carol", reason: null };
    await expect(addBlock(hands, one, wish)).rejects.toThrow("disk");
    expect(await idsIn(one)).toEqual([]);
    await addBlock(handsOf([]), one, wish);
    await expect(liftBlock(hands, [one], wish)).rejects.toThrow("disk");
    expect(await idsIn(one)).toEqual(["bot"]);
    await one.close();
  });
});

describe("the file of blocks", () => {
  const place = () => ({ stateDir: temporaryFolder(), tenant: "default", clock: systemClock });

  test.each(["{", '{"version":2,"blocks":[]}', '{"version":1,"blocks":[{"kind":"agent"}]}'])(
    "is not guessed at where it is %s",
    async (text) => {
      const own = place();
      await mkdir(join(own.stateDir, "blocks"));
      writeFileSync(join(own.stateDir, "blocks", "local.json"), text);
      const store = openBlockFile(own);
      await expect(store.read(undefined)).rejects.toMatchObject({ code: "blocks_unusable" });
      const block = { ...bot, by: "carol", at: "", reason: null };
      await expect(store.add(block)).rejects.toMatchObject({ code: "blocks_unusable" });
      expect(readFileSync(join(own.stateDir, "blocks", "local.json"), "utf8")).toBe(text);
    },
  );
});

describe("what a person names", () => {
  test.each([
    ["agent", "any-agent", "any-agent"],
    ["user", "alice@example.com", "alice@example.com"],
    ["server", "crm", "crm"],
    ["tool", "crm/a/b", "crm/a/b"],
  ])("is a subject: %s %s", (kind, id, kept) => {
    expect(readSubject(kind, id, ["crm"])).toEqual({ kind, id: kept });
  });

  test.each([
    ["bot", "x"],
    ["agent", ""],
    ["agent", "a".repeat(513)],
    ["server", "crn"],
    ["tool", "crm"],
    ["tool", "crm/"],
    ["tool", "/refund"],
    ["tool", "crn/refund"],
    ["tool", "crm__refund"],
  ])("is refused where it would stop nothing: %s %s", (kind, id) => {
    expect(() => readSubject(kind, id, ["crm"])).toThrow(
      expect.objectContaining({ code: "block_invalid" }),
    );
  });
});
