import { expect, test } from "vitest";
import { vouchedConversation } from "../../../src/contract/vouched-conversation.ts";
import { CountedConversations } from "../../../src/gateway/usage/counted-conversations.ts";
import { openJournalStore } from "../../../src/policy/usage/journal-store.ts";
import { systemClock } from "../../../src/config/ambient.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("a conversation that somebody trusted names has a count of its own", async () => {
  const store = openJournalStore({ folder: temporaryFolder(), clock: systemClock });
  const counted = new CountedConversations(systemClock);
  const currentOf = (key: string, id?: string) => {
    const conversation = id === undefined ? undefined : vouchedConversation(key, id);
    return counted.current(store, { key, conversation }, "own");
  };
  expect(await currentOf("alice")).toBe("own");
  const named = [
    await currentOf("alice", "a"),
    await currentOf("alice", "b"),
    await currentOf("bob", "a"),
  ];
  expect(new Set(named).size).toBe(3);
  expect(named).not.toContain("own");
  expect(await currentOf("alice", "a")).toBe(named[0]);
  await store.close();
});
