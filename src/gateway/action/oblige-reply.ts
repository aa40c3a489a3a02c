/**
 * Carries out obligations on an answer. A structured result that was changed is checked against the
 * output schema of its tool, because the client checks it too.
 */
import type { ObligationDone } from "../../contract/record.ts";
import { isJsonObject, isRecord } from "../../contract/json.ts";
import { sha256Of } from "../../contract/sha256.ts";
import { scanObject } from "../../mcp/wire/scan-object.ts";
import type { RawResult } from "../../mcp/wire/read-server-message.ts";
import { maxDepth } from "../../mcp/wire/strict-json.ts";
import { fulfil } from "../../policy/enforcement/obligations/fulfil.ts";
import type { ChangingDuty } from "../../policy/enforcement/obligations/obligation.ts";
import { findSensitive } from "../../policy/input/detect/find-sensitive.ts";
import type { GatewayParts } from "../parts.ts";
import type { Target } from "./action.ts";
import type { AnsweredReply } from "./judge-result.ts";

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
  { engine }: Pick<GatewayParts, "engine">,
  { tool }: Target,
  reply: AnsweredReply,
  duties: readonly ChangingDuty[],
): Promise<ObligedReply> {
  if (reply.kind === "error") return obligeError(reply, duties);
  const text = reply.result.bytes.toString("utf8");
  const fulfilled = fulfil(text, duties, findSensitive);
  if (!fulfilled.ok) return fulfilled;
  const { done } = fulfilled;
  if (fulfilled.text === text) return { ok: true, reply, done };
  const result = toResult(fulfilled.text);
  if (result === undefined) return { ok: false, problem: "the changed result is none", done };
  const schema = tool?.definition["outputSchema"];
  if (isJsonObject(schema) && mustConform(result, reply.result)) {
    const schemaJson = JSON.stringify(schema);
    const argumentsJson = JSON.stringify(result.value["structuredContent"] ?? null);
    const check = await engine.check({
      schemaJson,
      schemaDigest: sha256Of(schemaJson),
      argumentsJson,
    });
    if (!check.ok) return { ok: false, problem: `output schema: ${check.code}`, done };
  }
  return { ok: true, reply: { kind: "result", result }, done };
}

/** An error result has no structure to keep (MCP 2025-11-25, "Output Schema"). */
function mustConform({ value }: RawResult, before: RawResult): boolean {
  return value["isError"] !== true && before.value["structuredContent"] !== undefined;
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

function toResult(text: string): RawResult | undefined {
  const bytes = Buffer.from(text);
  const scan = scanObject(bytes, maxDepth);
  const value: unknown = JSON.parse(text);
  if (!scan.ok || !isRecord(value)) return undefined;
  return { bytes, value, members: scan.members };
}
