/**
 * The decision log for one command that changes something: what it notes is durable before it goes
 * on. A store that is away gets it later, from the spool, by whichever gateway runs next.
 */
import { newId, systemClock } from "../config/ambient.ts";
import type { GatewayConfig } from "../config/config.ts";
import type { DecisionLog } from "../contract/record.ts";
import { createDecisionLog } from "../decision/decision-log.ts";
import type { CliIo } from "./io.ts";
import { openRecordMask } from "./open-record-mask.ts";
import { talkingLog } from "./talking-log.ts";

export interface DecisionLogPlace {
  readonly config: Pick<GatewayConfig, "decisions" | "secrets">;
  readonly stateDir: string;
}

/**
 * Opens, works and closes. `on_failure` is not asked: a person can try again, and a call cannot.
 *
 * @throws DecisionError where nothing can be recorded
 */
export async function withDecisionLog<Result>(
  io: CliIo,
  { config, stateDir }: DecisionLogPlace,
  use: (log: DecisionLog) => Promise<Result>,
): Promise<Result> {
  const { store, spoolMaxBytes, checkpoints, export: target } = config.decisions;
  const log = await createDecisionLog({
    stateDir,
    store,
    durability: "sync",
    onFailure: "fail_operation",
    limits: { spoolMaxBytes },
    checkpoints,
    export: target,
    mask: await openRecordMask(config, stateDir),
    clock: systemClock,
    newId,
    log: talkingLog(io),
  });
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}
