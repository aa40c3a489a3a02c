/**
 * One command's look at the approvals, and the record that it writes.
 */
import { newId, systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import type { Approval } from "../../policy/approvals/approval.ts";
import { ApprovalError } from "../../policy/approvals/approval-error.ts";
import type { Approvals } from "../../policy/approvals/approvals.ts";
import type { OpenApprovalsOptions } from "../../policy/approvals/open-approvals.ts";
import { openApprovals } from "../../policy/approvals/open-approvals.ts";
import { keyedDigest, sealKey } from "../../gateway/seal.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import type { CliIo } from "../io.ts";
import { openReasonScrubber } from "../open-record-mask.ts";
import { talkingLog } from "../talking-log.ts";
import { withDecisionLog } from "../with-decision-log.ts";

/** For which a command waits for receivers that do not answer. */
const webhookGraceMs = 5000;

type Use<Result> = (approvals: Approvals, config: GatewayConfig) => Promise<Result>;

/** Opens the approvals to look at them. */
export async function readApprovals<Result>(
  io: CliIo,
  configPath: string | undefined,
  use: Use<Result>,
): Promise<Result> {
  const { config } = loadConfigFor(io, configPath);
  return await using(io, config, { decisionLog: { note: noteNothing }, fetch: undefined }, use);
}

/** Opens the approvals to decide about one; what is decided is on record, and webhooks hear of it. */
export async function changeApprovals<Result>(
  io: CliIo,
  configPath: string | undefined,
  use: Use<Result>,
): Promise<Result> {
  const { config } = loadConfigFor(io, configPath);
  const place = { config, stateDir: stateDirOf(io) };
  return await withDecisionLog(io, place, (decisionLog) =>
    using(io, config, { decisionLog, fetch: globalThis.fetch }, use),
  );
}

/**
 * The request that an id, or the end of one, names: ids of one minute begin alike.
 *
 * @throws ApprovalError `approval_unknown`
 */
export async function findApproval(approvals: Approvals, text: string): Promise<Approval> {
  const wanted = text.toLowerCase();
  const found = (await approvals.list()).filter(({ id }) => id.endsWith(wanted));
  const [first, ...more] = found;
  if (wanted !== "" && first !== undefined && more.length === 0) return first;
  throw new ApprovalError(
    "approval_unknown",
    `expected one approval whose id is or ends in ${JSON.stringify(text.slice(0, 64))}, found ${found.length}; see approval list --all`,
  );
}

async function using<Result>(
  io: CliIo,
  config: GatewayConfig,
  hands: Pick<OpenApprovalsOptions, "decisionLog" | "fetch">,
  use: Use<Result>,
): Promise<Result> {
  const stateDir = stateDirOf(io);
  const approvals = openApprovals({
    config,
    stateDir,
    ...hands,
    scrub: openReasonScrubber(config.secrets),
    keyed: keyedDigest(() => sealKey(config.stateKey, stateDir)),
    clock: systemClock,
    newId,
    log: talkingLog(io),
    webhookGraceMs,
  });
  try {
    return await use(approvals, config);
  } finally {
    await approvals.close();
  }
}

/** Whoever only looks has nothing to put on record. */
async function noteNothing(): Promise<void> {
  await Promise.reject(new Error("expected nothing to be changed"));
}
