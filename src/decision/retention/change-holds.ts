/**
 * How somebody puts decisions under a hold or lifts one: first the record, durable, then the store
 * that pruning asks.
 */
import type { Clock, NewId } from "../../contract/ambient.ts";
import type { DecisionLog } from "../../contract/record.ts";
import { DecisionError } from "../decision-error.ts";
import type { Hold, HoldScope } from "./hold.ts";
import { holdText } from "./hold.ts";
import type { HoldStore } from "./hold-store.ts";

export interface HoldHands {
  readonly tenant: string;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly note: DecisionLog["note"];
}

/** Who wants it, and why. */
export interface HoldWish {
  readonly by: string;
  readonly why: string;
}

/** Adds a hold and returns it. */
export async function addHold(
  hands: HoldHands,
  store: HoldStore,
  scope: HoldScope,
  { by, why }: HoldWish,
): Promise<Hold> {
  const { tenant, newId, clock } = hands;
  const at = new Date(clock.nowMs()).toISOString();
  const hold = { hold_id: newId(), tenant, held_by: by, held_at: at, why, ...scope };
  await record(hands, "hold", hold, { by, why });
  await store.add(hold);
  return hold;
}

/**
 * Lifts the hold of this id, or of the only one that begins with it.
 *
 * @throws DecisionError `hold_unknown`
 */
export async function liftHold(
  hands: HoldHands,
  store: HoldStore,
  id: string,
  wish: HoldWish,
): Promise<Hold> {
  const found = (await store.list()).filter(({ hold_id }) => hold_id.startsWith(id.toLowerCase()));
  const [hold] = found;
  if (hold === undefined || found.length > 1 || id.length < 4) {
    const message = `expected one hold whose id begins with ${id}, found ${found.length}; see mcp-gateway db hold list`;
    throw new DecisionError("hold_unknown", message);
  }
  await record(hands, "lift_hold", hold, wish);
  await store.remove(hold.hold_id);
  return hold;
}

async function record(
  { tenant, clock, newId, note }: HoldHands,
  action: "hold" | "lift_hold",
  hold: Hold,
  { by, why: reason }: HoldWish,
): Promise<void> {
  const { hold_id, decision_ids, agent, user, server, from, until } = hold;
  const details = { hold_id, decision_ids, agent, user, server, from, until };
  const about = { tenant, by, action, subject: holdText(hold), reason, details };
  await note({ kind: "admin", decisionId: newId(), timeMs: clock.nowMs(), ...about });
}
