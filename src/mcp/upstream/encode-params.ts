/**
 * The params of a request to an upstream: members that policy judged, as the text they are, and a
 * `_meta` that is made here.
 */
import type { JsonObject } from "../../contract/json.ts";
import { gatewayName, gatewayVersion } from "../../contract/version.ts";
import type { Speech } from "./carrier.ts";
import type { UpstreamRequest } from "./upstream-connection.ts";

const prefix = "io.modelcontextprotocol/";
const clientInfo = { name: gatewayName, version: gatewayVersion };

/** JSON text; `id` is also the progress token. The gateway's own members of `_meta` win. */
export function encodeParams(wanted: UpstreamRequest, id: number, speech: Speech): string {
  const members = Object.entries(wanted.params).map(
    ([name, json]) => `${JSON.stringify(name)}:${json}`,
  );
  const meta = {
    ...wanted.meta,
    ...(wanted.onProgress === undefined ? {} : { progressToken: id }),
    ...envelopeOf(wanted, speech),
  };
  if (Object.keys(meta).length > 0) members.push(`"_meta":${JSON.stringify(meta)}`);
  return `{${members.join(",")}}`;
}

/** MCP 2026-07-28, basic, "Per-request protocol fields". */
function envelopeOf(wanted: UpstreamRequest, { era, protocolVersion }: Speech): JsonObject {
  if (era === "legacy" || protocolVersion === undefined) return {};
  return {
    [`${prefix}protocolVersion`]: protocolVersion,
    [`${prefix}clientInfo`]: clientInfo,
    [`${prefix}clientCapabilities`]: wanted.clientCapabilities ?? {},
  };
}
