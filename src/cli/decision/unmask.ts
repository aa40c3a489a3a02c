/**
 * `decision get --unmask`: shows what a record hides to whoever has the private key of somebody it was
 * sealed to. That somebody looked is on record before anything is shown.
 */
import type { KeyObject } from "node:crypto";
import { newId, systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { isRecord } from "../../contract/json.ts";
import { DecisionError } from "../../decision/decision-error.ts";
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

/** As it is kept, under the id of its row; `kind` where it is no decision. */
interface KeptRecord {
  readonly decision_id: string;
  readonly kind?: string;
}

/**
 * A record or decision as it was printed, with its originals. A part that does not open stays masked,
 * and is named; throws where no part opens.
 */
export async function unmask(
  io: CliIo,
  whole: KeptRecord,
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
  return unmaskParts(io, whole, key);
}

function unmaskParts(io: CliIo, whole: KeptRecord, key: KeyObject): object {
  const kinds = new Map([
    ["admission", "admission"],
    ["outcome_record", "outcome"],
    ["record", whole.kind],
  ]);
  const refusals: (readonly [string, DecisionError])[] = [];
  let isAnyOpen = false;
  const entries = Object.entries(whole).map(([name, part]): readonly [string, unknown] => {
    const kind = kinds.get(name);
    if (kind === undefined || !isRecord(part)) return [name, part];
    try {
      const open = unmaskRecord(part, key, { kind, decisionId: whole.decision_id });
      isAnyOpen ||= open !== part;
      return [name, open];
    } catch (thrown) {
      if (!(thrown instanceof DecisionError)) throw thrown;
      refusals.push([name, thrown]);
      return [name, part];
    }
  });
  const [refusal] = refusals;
  if (refusal !== undefined && !isAnyOpen) throw refusal[1];
  for (const [name, { message }] of refusals) io.err(`note: ${name} stays masked: ${message}`);
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
