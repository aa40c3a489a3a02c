/**
 * A result that the gateway changed, read again: what could not come from a server does not leave.
 */
import { isRecord } from "../../contract/json.ts";
import type { RawResult } from "../../mcp/wire/read-server-message.ts";
import { scanObject } from "../../mcp/wire/scan-object.ts";
import { maxDepth } from "../../mcp/wire/strict-json.ts";

/** `undefined` for bytes that are no result. */
export function readResult(bytes: Buffer): RawResult | undefined {
  const scan = scanObject(bytes, maxDepth);
  const value: unknown = JSON.parse(bytes.toString("utf8"));
  if (!scan.ok || !isRecord(value)) return undefined;
  return { bytes, value, members: scan.members };
}
