/**
 * The bytes of a decided request's result in the words of the client's era: as the upstream sent
 * them, but for what an era does not know, demands, or only the gateway may say.
 */
import type { ActionReply, ClientEra } from "../../gateway/gateway.ts";
import { rewriteResult } from "../wire/rewrite-result.ts";

const reservedMetaPrefix = "io.mcp-gateway/";
const modernMembers: ReadonlySet<string> = new Set(["resultType", "ttlMs", "cacheScope"]);

/** Result of `method` for a client of this era. */
export function presentResult(
  reply: Extract<ActionReply, { kind: "result" }>,
  method: string,
  era: ClientEra,
): Buffer {
  return rewriteResult(reply, {
    set: era === "modern" ? modernMembersOf(reply.value, method) : {},
    drops: (key) => era === "legacy" && modernMembers.has(key),
    dropsMeta: (key) => reply.origin === "upstream" && key.startsWith(reservedMetaPrefix),
  });
}

function modernMembersOf(
  value: Readonly<Record<string, unknown>>,
  method: string,
): Readonly<Record<string, string>> {
  const { resultType, ttlMs } = value;
  const stamp = {
    resultType: JSON.stringify(typeof resultType === "string" ? resultType : "complete"),
  };
  if (method !== "resources/read" || stamp.resultType !== '"complete"') return stamp;
  // What one principal may read is no answer for another, whatever the server says of caching.
  const age = typeof ttlMs === "number" && ttlMs >= 0 ? String(ttlMs) : "0";
  return { ...stamp, ttlMs: age, cacheScope: '"private"' };
}
