/**
 * Lists, handshakes and results in the words of one era.
 */
import { gatewayName, gatewayVersion } from "../../contract/version.ts";
import type { CallReply, ToolListing } from "../../gateway/gateway.ts";
import { paginate } from "../catalog/paginate.ts";
import type { Era } from "../wire/method-table.ts";
import { legacyVersions, modernVersions } from "../wire/method-table.ts";
import { rewriteResult } from "../wire/rewrite-result.ts";
import { metaKeys } from "./read-era.ts";

const serverInfo = { name: gatewayName, version: gatewayVersion } as const;
const instructions =
  "Every call is checked by policy. A denied or held call says why and what to do instead; repeating it unchanged does not help.";
const reservedMetaPrefix = "io.mcp-gateway/";

/** Members that every modern result of the gateway's own carries. */
const modernStamp = {
  resultType: "complete",
  _meta: { [metaKeys.serverInfo]: serverInfo },
} as const;
/** A filtered list belongs to one principal and may change with any bundle. */
const uncached = { ttlMs: 0, cacheScope: "private" } as const;

export interface InitializeResult {
  readonly protocolVersion: string;
  readonly capabilities: object;
  readonly serverInfo: object;
  readonly instructions: string;
}

/** Result of `initialize`: the client's revision where the gateway knows it, else the newest. */
export function initializeResult(requested: unknown): InitializeResult {
  return {
    protocolVersion: legacyVersions.find((known) => known === requested) ?? legacyVersions[0],
    capabilities: { tools: { listChanged: true } },
    serverInfo,
    instructions,
  };
}

/** Result of `server/discover`. */
export function discoverResult(): object {
  return {
    ...modernStamp,
    ...uncached,
    supportedVersions: modernVersions,
    capabilities: { tools: {} },
    instructions,
  };
}

/** One page of the list; `undefined` where the cursor does not belong to it. */
export function listResult(
  listing: ToolListing,
  cursor: string | undefined,
  era: Era,
): object | undefined {
  const page = paginate(listing.tools, listing.version, cursor);
  if (page === undefined) return undefined;
  const next = page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor };
  const stamp = era === "modern" ? { ...modernStamp, ...uncached } : {};
  return { ...stamp, tools: page.items, ...next };
}

/** The bytes of a call's result: as the upstream sent them, but for what only the gateway may say. */
export function callResult(reply: Extract<CallReply, { kind: "result" }>, era: Era): Buffer {
  return rewriteResult(reply, {
    set: era === "modern" ? { resultType: '"complete"' } : {},
    dropsMeta: (key) => reply.origin === "upstream" && key.startsWith(reservedMetaPrefix),
  });
}
