import { appendFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Conversation } from "../../../src/policy/input/conversation.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const start = Date.parse("2026-11-22T10:00:00Z");
const minute = 60_000;
const hour = 60 * minute;
const brings = (dataClasses: readonly string[], labels: readonly string[] = []) => ({
  dataClasses,
  labels,
});

const opened: Conversation[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((conversation) => conversation.close()));
});

function open(path = temporaryFolder()) {
  let ids = 0;
  const conversation = new Conversation(path, () => `id-${(ids += 1)}`);
  opened.push(conversation);
  return conversation;
}

describe("a conversation", () => {
  test("counts the requests before this one, and their tokens", () => {
    const conversation = open();
    conversation.measure("crm", 400, start);
    const { everyone } = conversation.measure("crm", 8, start + 1000);
    expect(everyone).toMatchObject({
      turn_count: 1,
      cumulative_tokens: 100,
      session_age_seconds: 1,
    });
  });

  test("knows what its calls brought, sorted", async () => {
    const conversation = open();
    conversation.measure("crm", 0, start);
    await conversation.absorb("crm", brings(["pii", "internal"], ["untrusted_content"]), start);
    expect(conversation.measure("mail", 0, start).everyone).toMatchObject({
      data_classes_seen: ["internal", "pii"],
      labels_seen: ["untrusted_content"],
      servers_called: ["crm"],
    });
  });

  test("knows which server brought what", async () => {
    const conversation = open();
    conversation.measure("crm", 0, start);
    await conversation.absorb("mail", brings(["pii"], ["untrusted_content"]), start);
    await conversation.absorb("crm", brings(["pii"]), start);
    const { everyone, own } = conversation.measure("crm", 0, start);
    expect(everyone).toMatchObject({
      data_class_sources: { pii: ["crm", "mail"] },
      label_sources: { untrusted_content: ["mail"] },
    });
    expect(own).toMatchObject({ data_class_sources: { pii: ["crm"] }, label_sources: {} });
  });

  test("shows a server only its own part", async () => {
    const conversation = open();
    conversation.measure("crm", 0, start);
    await conversation.absorb("crm", brings(["pii"]), start);
    await conversation.absorb("mail", brings(["internal"]), start);
    expect(conversation.measure("mail", 0, start).own).toMatchObject({
      data_classes_seen: ["internal"],
      servers_called: ["mail"],
    });
  });

  test("begins anew after 30 minutes of silence, and sheds nothing by that", async () => {
    const conversation = open();
    const before = conversation.measure("crm", 0, start).everyone.conversation_id;
    await conversation.absorb("crm", brings(["pii"]), start);
    const { everyone } = conversation.measure("crm", 0, start + 31 * minute);
    expect(everyone.conversation_id).not.toBe(before);
    expect(everyone).toMatchObject({ turn_count: 0, data_classes_seen: ["pii"] });
  });

  test("goes on while there is less silence than that", () => {
    const conversation = open();
    const before = conversation.measure("crm", 0, start).everyone.conversation_id;
    conversation.measure("crm", 0, start + 29 * minute);
    const { everyone } = conversation.measure("crm", 0, start + 58 * minute);
    expect(everyone.conversation_id).toBe(before);
  });

  test("forgets a class 12 hours after the last call that brought it", async () => {
    const conversation = open();
    conversation.measure("crm", 0, start);
    await conversation.absorb("crm", brings(["pii"]), start);
    await conversation.absorb("crm", brings(["pii"]), start + 2 * hour);
    expect(conversation.measure("crm", 0, start + 13 * hour).everyone.data_classes_seen).toEqual([
      "pii",
    ]);
    expect(conversation.measure("crm", 0, start + 15 * hour).everyone.data_classes_seen).toEqual(
      [],
    );
  });

  test("is known to a process that starts later, across midnight too", async () => {
    const path = temporaryFolder();
    const late = Date.parse("2026-11-22T23:59:00Z");
    const first = open(path);
    first.measure("crm", 0, late);
    await first.absorb("crm", brings(["pii"]), late);
    const { everyone } = open(path).measure("mail", 0, late + 2 * minute);
    expect(everyone).toMatchObject({ data_classes_seen: ["pii"], conversation_id: "id-1" });
  });

  test("is shared by processes that run at once", async () => {
    const path = temporaryFolder();
    const [a, b] = [open(path), open(path)];
    a.measure("crm", 0, start);
    b.measure("mail", 0, start);
    await a.absorb("crm", brings(["pii"]), start);
    expect(b.measure("mail", 0, start + 1000).everyone.data_classes_seen).toEqual(["pii"]);
  });

  test("writes a class that is seen again at most once a minute", async () => {
    const path = temporaryFolder();
    const conversation = open(path);
    conversation.measure("crm", 0, start);
    for (let second = 0; second < 30; second += 1) {
      await conversation.absorb("crm", brings(["pii"]), start + second * 1000);
    }
    const other = open(path);
    expect(other.measure("crm", 0, start).everyone.data_classes_seen).toEqual(["pii"]);
    expect(readdirSync(path)).toHaveLength(1);
  });

  test("skips a torn or foreign line and reads what follows", async () => {
    const path = temporaryFolder();
    const first = open(path);
    first.measure("crm", 0, start);
    await first.absorb("crm", brings(["pii"]), start);
    appendFileSync(join(path, "2026-11-22.jsonl"), '{"id":"x","at"\nnull\n[]\n{"fresh":7}\n');
    await first.absorb("crm", brings(["phone"]), start);
    const seen = open(path).measure("crm", 0, start).everyone.data_classes_seen;
    expect(seen).toEqual(["phone", "pii"]);
  });

  test("loses nothing of what comes after half a line of a crash", async () => {
    const path = temporaryFolder();
    const first = open(path);
    first.measure("crm", 0, start);
    await first.absorb("crm", brings(["pii"]), start);
    appendFileSync(join(path, "2026-11-22.jsonl"), '{"id":"torn","at":17');
    const second = open(path);
    second.measure("crm", 0, start);
    await second.absorb("crm", brings(["phone"]), start);
    const seen = open(path).measure("crm", 0, start).everyone.data_classes_seen;
    expect(seen).toEqual(["phone", "pii"]);
  });

  test("is not shed by a clock that goes back", async () => {
    const path = temporaryFolder();
    const first = open(path);
    first.measure("crm", 0, start);
    await first.absorb("crm", brings(["pii"]), start);
    const { everyone } = open(path).measure("crm", 0, start - 48 * hour);
    expect(everyone.data_classes_seen).toEqual(["pii"]);
  });

  test("keeps files of yesterday and today only", async () => {
    const path = temporaryFolder();
    const conversation = open(path);
    for (const day of [0, 1, 2, 3]) {
      const now = start + day * 24 * hour;
      conversation.measure("crm", 0, now);
      await conversation.absorb("crm", brings(["pii"]), now);
    }
    expect(readdirSync(path).toSorted()).toEqual(["2026-11-24.jsonl", "2026-11-25.jsonl"]);
  });

  test("says so when it cannot be read or written", async () => {
    const conversation = open("/dev/null/no-such-folder");
    expect(() => conversation.measure("crm", 0, start)).toThrow("ENOTDIR");
    await expect(conversation.absorb("crm", brings(["pii"]), start)).rejects.toThrow("ENOTDIR");
  });
});
