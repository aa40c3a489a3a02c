/**
 * A journal that has grown long is read to its end, and does not stop everybody else meanwhile.
 */
import { appendFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { newId } from "../../../src/config/ambient.ts";
import { Conversation } from "../../../src/policy/input/conversation.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const start = Date.parse("2026-11-22T10:00:00Z");
const mebibyte = 1024 * 1024;

const opened: Conversation[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((conversation) => conversation.close()));
});

function open(path: string): Conversation {
  const conversation = new Conversation(path, newId);
  opened.push(conversation);
  return conversation;
}

function lineOf(name: string, turns = 1): string {
  const least = { turns: 0, tokens: 0 };
  const counted = { by: "other", turns, tokens: 0, least };
  const fresh = [{ sort: "class", name, server: "crm" }];
  return `\n${JSON.stringify({ id: "long-ago", started: start, at: start, fresh, counted })}\n`;
}

function journalOf(...texts: readonly string[]): string {
  const folder = temporaryFolder();
  for (const text of texts) appendFileSync(join(folder, "2026-11-22.jsonl"), text);
  return folder;
}

/** How often the event loop came round until `work` had ended. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let [turns, isOver] = [0, false];
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work;
  isOver = true;
  return turns;
}

describe("a journal", () => {
  test(
    "of more than 64 MiB is read to its end, and others have their turn meanwhile",
    { timeout: 120_000 },
    async () => {
      const line = lineOf("pii");
      const many = line.repeat(Math.ceil(mebibyte / line.length));
      const path = journalOf(...Array.from({ length: 65 }, () => many), lineOf("phone", 7));
      expect(statSync(join(path, "2026-11-22.jsonl")).size).toBeGreaterThan(64 * mebibyte);

      const conversation = open(path);
      expect(await turnsDuring(conversation.refresh(start))).toBeGreaterThan(4 * 64);
      expect(conversation.measure("crm", 0, start).everyone).toMatchObject({
        conversation_id: "long-ago",
        turn_count: 7,
        data_classes_seen: ["phone", "pii"],
      });
    },
  );

  test("is read by turns for a named conversation too", async () => {
    const line = lineOf("pii");
    const path = journalOf(line.repeat(Math.ceil((3 * mebibyte) / line.length)));
    const key = { id: "a", key: "a", least: { turns: 0, tokens: 0 } };
    expect(await turnsDuring(open(path).vouched(key).refresh(start))).toBeGreaterThan(8);
  });

  test("loses no line that begins in one piece and ends in the next", async () => {
    // Odd lengths and characters of several bytes, so that pieces end everywhere.
    const names = Array.from({ length: 9000 }, (_, index) => `é${"ö€".repeat(index % 97)}${index}`);
    const conversation = open(journalOf(names.map((name) => lineOf(name)).join("")));
    await conversation.refresh(start);
    const { data_classes_seen: seen } = conversation.measure("crm", 0, start).everyone;
    expect(seen).toEqual(names.toSorted());
  });

  test("waits for the end of a line that somebody is writing", async () => {
    const line = lineOf("pii");
    const path = journalOf(lineOf("phone"), line.slice(0, 40));
    const conversation = open(path);
    await conversation.refresh(start);
    expect(conversation.measure("crm", 0, start).everyone.data_classes_seen).toEqual(["phone"]);
    appendFileSync(join(path, "2026-11-22.jsonl"), line.slice(40));
    await conversation.refresh(start);
    expect(conversation.measure("crm", 0, start).everyone.data_classes_seen).toEqual([
      "phone",
      "pii",
    ]);
  });

  test("skips what is longer than any line, and reads what follows", async () => {
    const path = journalOf("x".repeat(3 * mebibyte + 5), lineOf("pii"));
    const conversation = open(path);
    await conversation.refresh(start);
    expect(conversation.measure("crm", 0, start).everyone.data_classes_seen).toEqual(["pii"]);
  });

  test("takes nothing that it would skip", async () => {
    const conversation = open(temporaryFolder());
    conversation.measure("crm", 0, start);
    const labels = Array.from({ length: 30_000 }, (_, index) => `label-${index}`);
    await expect(conversation.absorb("crm", { dataClasses: [], labels }, start)).rejects.toThrow(
      "expected what is noted to have up to 262144 bytes",
    );
  });
});
