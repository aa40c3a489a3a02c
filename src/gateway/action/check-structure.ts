/**
 * A structured result that the gateway changed is checked against the output schema of its tool,
 * because the client checks it too.
 */
import { isJsonObject } from "../../contract/json.ts";
import { sha256Of } from "../../contract/sha256.ts";
import type { RawResult } from "../../mcp/wire/read-server-message.ts";
import type { GatewayParts } from "../parts.ts";
import type { Target } from "./action.ts";

/** What is wrong with the changed result, for the operator; `undefined` where nothing is. */
export async function checkStructure(
  { engine }: Pick<GatewayParts, "engine">,
  { tool }: Target,
  changed: RawResult,
  before: RawResult,
): Promise<string | undefined> {
  const schema = tool?.definition["outputSchema"];
  if (!isJsonObject(schema) || !mustConform(changed, before)) return undefined;
  const schemaJson = JSON.stringify(schema);
  const argumentsJson = JSON.stringify(changed.value["structuredContent"] ?? null);
  const schemaDigest = sha256Of(schemaJson);
  const check = await engine.check({ schemaJson, schemaDigest, argumentsJson });
  return check.ok ? undefined : `output schema: ${check.code}`;
}

/** An error result has no structure to keep (MCP 2025-11-25, "Output Schema"). */
function mustConform({ value }: RawResult, before: RawResult): boolean {
  return value["isError"] !== true && before.value["structuredContent"] !== undefined;
}
