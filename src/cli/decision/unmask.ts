/**
 * `decision get --unmask`: shows what a record hides to whoever holds the unmask key. That somebody
 * looked is on record before anything is shown.
 */
import { newId, systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { isRecord } from "../../contract/json.ts";
import { unmaskKey } from "../../decision/masking/mask-key.ts";
import { unmaskRecord } from "../../decision/masking/sealed-originals.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import { personOf } from "../person-of.ts";
import { withDecisionLog } from "../with-decision-log.ts";

export interface UnmaskContext {
  readonly config: GatewayConfig;
  readonly stateDir: string;
  readonly why: string;
}

/** A record or decision as it was printed, with its originals; throws where they cannot be had. */
export async function unmask(
  io: CliIo,
  whole: { readonly decision_id: string },
  { config, stateDir, why }: UnmaskContext,
): Promise<object> {
  const key = requireKey(config);
  await withDecisionLog(io, { config, stateDir }, (log) =>
    log.note({
      kind: "admin",
      decisionId: newId(),
      timeMs: systemClock.nowMs(),
      tenant: config.tenant,
      by: personOf(io),
      action: "unmask",
      subject: `decision ${whole.decision_id}`,
      reason: why,
      details: {},
    }),
  );
  const entries = Object.entries(whole).map(([name, part]): readonly [string, unknown] => [
    name,
    isRecord(part) ? unmaskRecord(part, key) : part,
  ]);
  return Object.fromEntries(entries);
}

function requireKey({ decisions }: GatewayConfig): Uint8Array {
  const { unmaskKey: text } = decisions.masking;
  if (text !== undefined) return unmaskKey(text);
  throw new CliError(
    exitCodes.usage,
    "expected decisions.masking.unmask_key in the configuration for --unmask, found none; records made without it cannot be unmasked",
  );
}
