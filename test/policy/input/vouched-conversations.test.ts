import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { newId } from "../../../src/config/ambient.ts";
import { vouchedConversation } from "../../../src/contract/vouched-conversation.ts";
import { Conversation } from "../../../src/policy/input/conversation.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const start = Date.parse("2026-11-22T10:00:00Z");
const minute = 60_000;
const hour = 60 * minute;
const pii = { dataClasses: ["pii"], labels: [] };

const opened: Conversation[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((conversation) => conversation.close()));
});

function open(path = temporaryFolder(), maxVouched?: number): Conversation {
  const conversation = new Conversation(path, newId, { maxVouched });
  opened.push(conversation);
  return conversation;
}

function named(id: string, turns = 0, tokens = 0) {
  return vouchedConversation("principal", id, { turns, tokens });
}

describe("a vouched conversation", () => {
  test("has its own name and sees its own part alone", async () => {
    const all = open();
    const [a, b] = [all.vouched(named("a")), all.vouched(named("b"))];
    a.measure("crm", 0, start);
    await a.absorb("crm", pii, start);
    expect(a.measure("mail", 0, start).everyone).toMatchObject({
      conversation_id: "a",
      data_classes_seen: ["pii"],
      servers_called: ["crm"],
    });
    const { everyone, own } = b.measure("mail", 0, start);
    expect([everyone.conversation_id, own.conversation_id]).toEqual(["b", "b"]);
    expect(everyone).toMatchObject({ data_classes_seen: [], servers_called: [], turn_count: 0 });
  });

  test("does not see what was brought without a name", async () => {
    const all = open();
    all.measure("crm", 0, start);
    await all.absorb("crm", pii, start);
    expect(all.vouched(named("a")).measure("crm", 0, start).everyone.data_classes_seen).toEqual([]);
  });

  test("is part of what a request without a name sees, in another process too", async () => {
    const path = temporaryFolder();
    const [all, other] = [open(path), open(path)];
    const a = all.vouched(named("a"));
    a.measure("crm", 0, start);
    await a.absorb("crm", pii, start);
    const seen = { data_classes_seen: ["pii"], data_class_sources: { pii: ["crm"] } };
    expect(all.measure("mail", 0, start).everyone).toMatchObject(seen);
    expect(other.measure("mail", 0, start).everyone).toMatchObject(seen);
  });

  test("is known to a process that starts later, by its name and by no other", async () => {
    const path = temporaryFolder();
    const a = open(path).vouched(named("a"));
    a.measure("crm", 0, start);
    await a.absorb("crm", pii, start);
    const later = open(path);
    const seenBy = (id: string) =>
      later.vouched(named(id)).measure("crm", 0, start + minute).everyone.data_classes_seen;
    expect(seenBy("a")).toEqual(["pii"]);
    expect(seenBy("b")).toEqual([]);
  });

  test("ends with no silence, and is forgotten 12 hours after what it saw last", async () => {
    const a = open().vouched(named("a"));
    a.measure("crm", 0, start);
    await a.absorb("crm", pii, start);
    expect(a.measure("crm", 0, start + 11 * hour).everyone).toMatchObject({
      turn_count: 1,
      session_age_seconds: 11 * 3600,
      data_classes_seen: ["pii"],
    });
    expect(a.measure("crm", 0, start + 24 * hour).everyone).toMatchObject({
      turn_count: 0,
      session_age_seconds: 0,
      data_classes_seen: [],
    });
  });

  test("counts at least what its runtime says, and never less than before", () => {
    const all = open();
    const countsOf = (turns: number, tokens: number) => {
      const { everyone } = all.vouched(named("a", turns, tokens)).measure("crm", 400, start);
      return [everyone.turn_count, everyone.cumulative_tokens];
    };
    expect(countsOf(7, 50)).toEqual([7, 50]);
    expect(countsOf(0, 0)).toEqual([7, 100]);
    expect(countsOf(2, 1000)).toEqual([7, 1000]);
    for (let turn = 3; turn < 9; turn += 1) countsOf(0, 0);
    expect(countsOf(5, 0)).toEqual([9, 1000]);
  });

  test("counts for everything of its principal too", () => {
    const all = open();
    all.vouched(named("a", 40)).measure("crm", 400, start);
    all.vouched(named("b")).measure("crm", 400, start);
    expect(all.measure("crm", 0, start).everyone).toMatchObject({
      turn_count: 40,
      cumulative_tokens: 200,
    });
  });

  test("leaves its name in no file", async () => {
    const path = temporaryFolder();
    const all = open(path);
    const a = all.vouched(named("secret-name"));
    a.measure("crm", 0, start);
    await a.absorb("crm", pii, start);
    await all.close();
    const texts = readdirSync(path).map((name) => name + readFileSync(join(path, name), "utf8"));
    expect(texts.join("")).toContain("pii");
    expect(texts.join("")).not.toContain("secret-name");
  });

  test("is refused where there are too many, and those that are known go on", async () => {
    const path = temporaryFolder();
    const all = open(path, 2);
    const enter = (id: string, at = start) => all.vouched(named(id)).refresh(at);
    const measure = (id: string, at = start) => all.vouched(named(id)).measure("crm", 0, at);
    expect(await enter("a")).toBe(true);
    measure("a");
    await all.vouched(named("a")).absorb("crm", pii, start);
    expect(await enter("b")).toBe(true);
    measure("b");
    expect(await enter("c")).toBe(false);
    expect(await enter("a")).toBe(true);
    expect(measure("a").everyone.data_classes_seen).toEqual(["pii"]);
    expect(await enter("c", start + 13 * hour)).toBe(true);
  });

  test("counts among them when another process knows it", async () => {
    const path = temporaryFolder();
    const first = open(path, 2);
    for (const id of ["a", "b"]) {
      const view = first.vouched(named(id));
      view.measure("crm", 0, start);
      await view.absorb("crm", pii, start);
    }
    const second = open(path, 2);
    expect(await second.vouched(named("c")).refresh(start)).toBe(false);
    expect(await second.vouched(named("b")).refresh(start)).toBe(true);
  });
});

describe("what several gateways of one folder count", () => {
  test("is summed once they have told it", async () => {
    const path = temporaryFolder();
    const [a, b] = [open(path), open(path)];
    for (let turn = 0; turn < 3; turn += 1) a.measure("crm", 400, start + turn);
    await a.close();
    b.measure("crm", 40, start + 10);
    expect(b.measure("crm", 0, start + 11).everyone).toMatchObject({
      turn_count: 4,
      cumulative_tokens: 310,
    });
    await b.close();
    expect(open(path).measure("crm", 0, start + 12).everyone.turn_count).toBe(5);
  });

  test("goes along with what a call brings", async () => {
    const path = temporaryFolder();
    const [a, b] = [open(path), open(path)];
    a.measure("crm", 400, start);
    await a.absorb("crm", pii, start);
    expect(b.measure("crm", 0, start).everyone).toMatchObject({
      turn_count: 1,
      cumulative_tokens: 100,
    });
  });

  test("is told after a while by itself", async () => {
    const path = temporaryFolder();
    const [a, b] = [open(path), open(path)];
    const view = (one: Conversation) => one.vouched(named("a"));
    view(a).measure("crm", 0, start);
    await eventually(() => {
      const { everyone } = view(open(path)).measure("crm", 0, start);
      return everyone.turn_count >= 1;
    }, 20_000);
    expect(view(b).measure("crm", 0, start).everyone.turn_count).toBeGreaterThanOrEqual(1);
  });

  test("counts nothing of a conversation that ended", async () => {
    const path = temporaryFolder();
    const first = open(path);
    first.measure("crm", 400, start);
    await first.close();
    const { everyone } = open(path).measure("crm", 0, start + 31 * minute);
    expect(everyone).toMatchObject({ turn_count: 0, cumulative_tokens: 0 });
  });

  test("takes the highest of what a runtime said, not the sum", async () => {
    const path = temporaryFolder();
    const [a, b] = [open(path), open(path)];
    a.vouched(named("a", 50)).measure("crm", 0, start);
    await a.close();
    expect(b.vouched(named("a", 51)).measure("crm", 0, start).everyone.turn_count).toBe(51);
    expect(b.vouched(named("a")).measure("crm", 0, start).everyone.turn_count).toBe(51);
  });
});
