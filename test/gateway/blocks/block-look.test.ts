/**
 * How soon a gateway hears what others blocked: by its own look at the store, on a clock that the
 * test turns, so that no slow machine decides.
 */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { newId, systemClock } from "../../../src/config/ambient.ts";
import type { Block } from "../../../src/gateway/blocks/block.ts";
import type { BlockStore } from "../../../src/gateway/blocks/block-store.ts";
import { BlockWatch } from "../../../src/gateway/blocks/block-watch.ts";
import { createTestLog } from "../../support/log.ts";
import { alice } from "../open-gateway.ts";

/** Half of the second that a block may take; the other half is the store's to answer in. */
const withinMs = 500;
const bot: Block = {
  kind: "agent",
  id: "bot",
  by: "carol",
  at: "2026-11-23T10:00:00Z",
  reason: null,
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A watch of a store that others write to, and that may be away. */
async function openWatch() {
  let blocks: readonly Block[] = [];
  let revision = 0;
  let isAway = false;
  const store: BlockStore = {
    scope: "everywhere",
    read: async (since) => {
      if (isAway) throw new Error("away");
      const isKnown = since === String(revision);
      return { revision: String(revision), blocks: isKnown ? undefined : blocks };
    },
    add: async () => true,
    remove: async () => true,
    close: async () => {},
  };
  const watch = new BlockWatch({
    tenant: "default",
    clock: systemClock,
    newId,
    note: async () => {},
    scrub: String,
    sources: [{ store, known: undefined }],
    agents: new Map(),
    mayStart: Promise.resolve(),
    log: createTestLog(),
  });
  await watch.ready;
  const write = (written: readonly Block[]): void => {
    blocks = written;
    revision += 1;
  };
  const setAway = (away: boolean): void => void (isAway = away);
  return { watch, write, setAway, isStopped: () => watch.stopOf(alice)?.code === "blocked" };
}

test("a block and its lift are heard within half a second, the tenth as the first", async () => {
  const { watch, write, isStopped } = await openWatch();
  for (let round = 0; round < 10; round += 1) {
    write([bot]);
    await vi.advanceTimersByTimeAsync(withinMs);
    expect(isStopped()).toBe(true);
    write([]);
    await vi.advanceTimersByTimeAsync(withinMs);
    expect(isStopped()).toBe(false);
  }
  await watch.close();
});

test("what was blocked while the store was away is heard within half a second of its return", async () => {
  const { watch, write, setAway, isStopped } = await openWatch();
  setAway(true);
  write([bot]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(isStopped()).toBe(false);
  setAway(false);
  await vi.advanceTimersByTimeAsync(withinMs);
  expect(isStopped()).toBe(true);
  await watch.close();
});
