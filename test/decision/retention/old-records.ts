/**
 * A record that goes back some days: what one gateway has written, and a second that ended.
 */
import { randomUUID } from "node:crypto";
import { createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { systemClock } from "../../../src/config/ambient.ts";
import { newId } from "../../../src/config/ambient.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import type { DecisionLogOptions } from "../../../src/decision/decision-log.ts";
import { checkpointKey } from "../../../src/decision/integrity/checkpoint-key.ts";
import { proveIn } from "../../../src/decision/integrity/pruned-range.ts";
import type { Prove } from "../../../src/decision/integrity/pruned-range.ts";
import type { Hold } from "../../../src/decision/retention/hold.ts";
import { lowestUuid } from "../../../src/decision/store/uuid-time.ts";
import { allowed, logOptions, outcome } from "../support.ts";

export const dayMs = 24 * 60 * 60_000;
export const checkpoints = { folder: undefined, key: undefined, everyMs: 3_600_000 };

/** A UUIDv7 of another time. */
export function idAt(timeMs: number): string {
  return lowestUuid(timeMs).slice(0, 14) + `7${randomUUID().slice(15)}`;
}

export interface OldCall {
  readonly daysAgo: number;
  readonly agent?: string;
  readonly server?: string;
}

/** One run of a gateway: calls with their outcomes, and at last what an operator did. */
export async function writeCalls(
  stateDir: string,
  calls: readonly OldCall[],
  changes: Partial<DecisionLogOptions> = {},
): Promise<readonly string[]> {
  const log = await createDecisionLog({ ...logOptions(stateDir), checkpoints, ...changes });
  const ids: string[] = [];
  for (const { daysAgo, agent = "support-bot", server = "crm" } of calls) {
    const timeMs = Date.now() - daysAgo * dayMs;
    const decisionId = idAt(timeMs);
    await log.admit(allowed({ decisionId, timeMs, agent, server }));
    log.settle(outcome(decisionId, { timeMs: timeMs + 5 }));
    ids.push(decisionId);
  }
  await log.note({
    kind: "admin",
    decisionId: newId(),
    timeMs: Date.now(),
    tenant: "default",
    by: "olga",
    action: "block",
    subject: "agent mallory",
    reason: "it was too loud",
    details: {},
  });
  await log.close();
  return ids;
}

export interface Witness {
  readonly folder: string;
  readonly key: KeyObject;
  readonly prove: Prove;
}

/** Whoever vouches for the record of a state folder. */
export async function witnessOf(stateDir: string): Promise<Witness> {
  const folder = join(stateDir, "checkpoints");
  const key = await checkpointKey(stateDir, checkpoints);
  return { folder, key: createPublicKey(key), prove: proveIn(folder, key, systemClock.nowMs) };
}

/** A hold on everything that is named. */
export function holdOn(scope: Partial<Hold>): Hold {
  return {
    hold_id: newId(),
    tenant: "default",
    held_by: "olga",
    held_at: new Date().toISOString(),
    why: "a case",
    decision_ids: null,
    agent: null,
    user: null,
    server: null,
    from: null,
    until: null,
    ...scope,
  };
}
