/**
 * How a declared window becomes slots. A fixed window is one slot: it begins at whole hours, days or
 * whatever its length is, in UTC, and whole weeks begin on Monday. A sliding window is sixty slots,
 * and the oldest counts whole until all of it is out of the window, so that no window ever holds more
 * than the limit.
 */
import type { CounterDeclaration } from "../../contract/counter.ts";
import type { Slots } from "./usage-store.ts";

const slotsOfWindow = 60;
const weekMs = 7 * 86_400_000;
/** 1970-01-05, a Monday. */
const mondayMs = 4 * 86_400_000;
/** A budget of a conversation that nobody comes back to. */
const conversationKeepMs = weekMs;

/** The slots of a declaration. */
export function slotsOf({ window, key }: CounterDeclaration): Slots {
  switch (window.type) {
    case "none": {
      const keepMs = key.includes("conversation") ? conversationKeepMs : 0;
      return { slotMs: 0, lifeMs: 0, originMs: 0, keepMs };
    }
    case "fixed": {
      const originMs = window.ms % weekMs === 0 ? mondayMs : 0;
      return { slotMs: window.ms, lifeMs: window.ms, originMs, keepMs: window.ms };
    }
    case "sliding": {
      const slotMs = Math.ceil(window.ms / slotsOfWindow);
      const lifeMs = window.ms + slotMs;
      return { slotMs, lifeMs, originMs: 0, keepMs: lifeMs };
    }
  }
}

/** Start of the slot that holds a time. */
export function slotStart({ slotMs, originMs }: Slots, nowMs: number): number {
  if (slotMs === 0) return 0;
  return originMs + Math.floor((nowMs - originMs) / slotMs) * slotMs;
}

/** True while what is in a slot counts. */
export function isLive({ slotMs, lifeMs }: Slots, startMs: number, nowMs: number): boolean {
  return slotMs === 0 || startMs + lifeMs > nowMs;
}
