/**
 * The bytes of a decided request's result in the words of the client's era: as the upstream sent
 * them, but for what an era does not know, demands, or only the gateway may say.
 */
import { isRecord } from "../../contract/json.ts";
import type { ActionReply, ClientEra } from "../../gateway/gateway.ts";
import { isReserved } from "../../contract/reserved-key.ts";
import { rewriteResult } from "../wire/rewrite-result.ts";

const modernMembers: ReadonlySet<string> = new Set(["resultType", "ttlMs", "cacheScope"]);

/** Result of `method` for a client of this era. */
export function presentResult(
  reply: Extract<ActionReply, { kind: "result" }>,
  method: string,
  era: ClientEra,
): Buffer {
  const { result } = reply.value;
  return rewriteResult(reply, {
    set: era === "modern" ? modernMembersOf(reply.value, method) : {},
    drops: (key) => era === "legacy" && modernMembers.has(key),
    dropsMeta: (key) => reply.origin === "upstream" && isReserved(key),
    ...(isRecord(result) && speaksForGateway(result)
      ? { replace: (key, part) => (key === "result" ? withoutReserved(part, result) : undefined) }
      : {}),
  });
}

/** The result of a call inside a task may not speak for the gateway any more than outside. */
function speaksForGateway({ _meta: meta }: Readonly<Record<string, unknown>>): boolean {
  return isRecord(meta) && Object.keys(meta).some(isReserved);
}

function withoutReserved(bytes: Buffer, value: Readonly<Record<string, unknown>>): string {
  return rewriteResult({ bytes, value }, { set: {}, dropsMeta: isReserved }).toString("utf8");
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
