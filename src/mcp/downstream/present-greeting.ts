/**
 * Handshakes and lists in the words of one era.
 */
import type { JsonObject } from "../../contract/json.ts";
import { gatewayName, gatewayVersion } from "../../contract/version.ts";
import type { ClientEra, Greeting, ListKind, Listing } from "../../gateway/gateway.ts";
import { paginate } from "../catalog/paginate.ts";
import { legacyVersions, modernVersions } from "../wire/method-table.ts";
import { metaKeys } from "./read-era.ts";

const serverInfo = { name: gatewayName, version: gatewayVersion } as const;

/** Members that every modern result of the gateway's own carries. */
export const modernStamp = {
  resultType: "complete",
  _meta: { [metaKeys.serverInfo]: serverInfo },
} as const;
/** What a client gets belongs to one principal and may change with any bundle. */
const uncached = { ttlMs: 0, cacheScope: "private" } as const;

/** The revision of a session: the client's where the gateway knows it, else the newest. */
export function negotiate(requested: unknown): string {
  return legacyVersions.find((known) => known === requested) ?? legacyVersions[0];
}

/** Result of `initialize`. */
export function initializeResult(protocolVersion: string, greeting: Greeting): JsonObject {
  const { capabilities, instructions } = greeting;
  return { protocolVersion, capabilities, serverInfo, instructions };
}

/** Result of `server/discover`. */
export function discoverResult({ capabilities, instructions }: Greeting): object {
  return {
    ...modernStamp,
    ...uncached,
    supportedVersions: modernVersions,
    capabilities,
    instructions,
  };
}

/** One page of a list; `undefined` where the cursor does not belong to it. */
export function listResult(
  kind: ListKind,
  listing: Listing,
  cursor: string | undefined,
  era: ClientEra,
): object | undefined {
  const page = paginate(listing.items, listing.version, cursor);
  if (page === undefined) return undefined;
  const next = page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor };
  const stamp = era === "modern" ? { ...modernStamp, ...uncached } : {};
  return { ...stamp, [kind]: page.items, ...next };
}
