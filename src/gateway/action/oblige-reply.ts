/**
 * Carries out obligations on an answer. A structured result that was changed is still what the output
 * schema of its tool says, or does not pass.
 */
import type { ObligationDone } from "../../contract/record.ts";
import { isRecord } from "../../contract/json.ts";
import { fulfil } from "../../policy/enforcement/obligations/fulfil.ts";
import type { ChangingDuty } from "../../policy/enforcement/obligations/obligation.ts";
import { findSensitive } from "../../policy/input/detect/find-sensitive.ts";
import type { GatewayParts } from "../parts.ts";
import type { Target } from "./action.ts";
import { checkStructure } from "./check-structure.ts";
import type { AnsweredReply } from "./judge-result.ts";
import { readResult } from "./read-result.ts";

export type ObligedReply =
  | {
      readonly ok: true;
      readonly reply: AnsweredReply;
      readonly done: readonly ObligationDone[];
    }
  | {
      readonly ok: false;
      /** For the operator; names no contents. */
      readonly problem: string;
      readonly done: readonly ObligationDone[];
    };

/** The answer as the client may have it; the same one where nothing was found. */
export async function obligeReply(
  parts: Pick<GatewayParts, "engine">,
  target: Target,
  reply: AnsweredReply,
  duties: readonly ChangingDuty[],
): Promise<ObligedReply> {
  if (reply.kind === "error") return obligeError(reply, duties);
  const text = reply.result.bytes.toString("utf8");
  const fulfilled = fulfil(text, duties, findSensitive);
  if (!fulfilled.ok) return fulfilled;
  const { done } = fulfilled;
  if (fulfilled.text === text) return { ok: true, reply, done };
  const result = readResult(Buffer.from(fulfilled.text));
  if (result === undefined) return { ok: false, problem: "the changed result is none", done };
  const problem = await checkStructure(parts, target, result, reply.result);
  if (problem !== undefined) return { ok: false, problem, done };
  return { ok: true, reply: { kind: "result", result }, done };
}

function obligeError(
  reply: Extract<AnsweredReply, { kind: "error" }>,
  duties: readonly ChangingDuty[],
): ObligedReply {
  const { code, message, data } = reply.error;
  const text = JSON.stringify({ message, ...(data === undefined ? {} : { data }) });
  const fulfilled = fulfil(text, duties, findSensitive);
  if (!fulfilled.ok) return fulfilled;
  const shown: unknown = JSON.parse(fulfilled.text);
  const said = isRecord(shown) && typeof shown["message"] === "string" ? shown["message"] : "";
  const kept = isRecord(shown) && shown["data"] !== undefined ? { data: shown["data"] } : {};
  const { done } = fulfilled;
  return { ok: true, reply: { kind: "error", error: { code, message: said, ...kept } }, done };
}
