/**
 * The real clock and the real source of ids. Everything else is handed these, so that tests can
 * hand in others.
 */
import { v7 } from "uuid";
import type { Clock, NewId } from "../contract/ambient.ts";

/** Wall time and a monotonic time of this process. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** A new UUIDv7, ordered by time within this process. */
export const newId: NewId = () => v7();
