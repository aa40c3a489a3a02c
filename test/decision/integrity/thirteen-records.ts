/**
 * A record to tamper with: what one gateway has written by the time it has ended.
 */
import { newId } from "../../../src/config/ambient.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { allowed, logOptions, outcome } from "../support.ts";

/** As often as never: what is there is made at the end. */
export const checkpoints = { folder: undefined, key: undefined, everyMs: 3_600_000 };

/** Six calls, each with its outcome, and what an operator did. */
export async function writeRecord(stateDir: string): Promise<void> {
  const log = await createDecisionLog({ ...logOptions(stateDir), checkpoints });
  for (let call = 0; call < 6; call += 1) {
    const record = allowed({ decisionId: newId(), agent: `agent-${call}` });
    await log.admit(record);
    log.settle(outcome(record.decisionId));
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
    details: { until: "2027-01-01" },
  });
  await log.close();
}
