/**
 * `decision get --unmask`: shows what a record hides to whoever has the private key of somebody it was
 * sealed to. That somebody looked is on record before anything is shown.
 */
import type { KeyObject } from "node:crypto";
import { newId, systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { isRecord } from "../../contract/json.ts";
import { unmaskRecord } from "../../decision/masking/sealed-originals.ts";
import { openUnmaskKey, unmaskKeyId } from "../../decision/masking/unmask-keys.ts";
import { readKey } from "../bundle/read-key.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import { personOf } from "../person-of.ts";
import { withDecisionLog } from "../with-decision-log.ts";

export interface UnmaskContext {
  readonly config: GatewayConfig;
  readonly stateDir: string;
  readonly why: string;
  readonly key: KeyObject;
}

/** A record or decision as it was printed, with its originals; throws where they cannot be had. */
export async function unmask(
  io: CliIo,
  whole: { readonly decision_id: string },
  { config, stateDir, why, key }: UnmaskContext,
): Promise<object> {
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
      details: { key_id: unmaskKeyId(key) },
    }),
  );
  const entries = Object.entries(whole).map(([name, part]): readonly [string, unknown] => [
    name,
    isRecord(part) ? unmaskRecord(part, key) : part,
  ]);
  return Object.fromEntries(entries);
}

/** The private key that `--key` names; throws `mask_key_unusable`. */
export function requireUnmaskKey(io: CliIo, place: string | undefined): KeyObject {
  if (place !== undefined) {
    const password = io.env["MCP_GATEWAY_UNMASK_PASSWORD"];
    return openUnmaskKey(readKey(io, place), password === "" ? undefined : password, "--key");
  }
  throw new CliError(
    exitCodes.usage,
    "expected --key FILE or --key env://NAME with --unmask, found none; it is the private key of one of decisions.masking.recipients",
  );
}
