/**
 * A result in the names that the client knows: resource URIs and task ids of its server. Every other
 * byte stays as it came. What the result mentions is remembered, so that it can be read.
 */
import { continuityKey } from "../../contract/principal.ts";
import { wrapStructured } from "../../mcp/catalog/legacy-schema.ts";
import { mentionedUris, uriReplacement } from "../../mcp/catalog/result-uris.ts";
import type { ResultBytes } from "../../mcp/wire/rewrite-result.ts";
import type { ReplaceString } from "../../mcp/wire/rewrite-strings.ts";
import { rewriteStrings } from "../../mcp/wire/rewrite-strings.ts";
import type { ActionReply } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Allowed } from "./conclude.ts";
import { isResultGuarded } from "./obliged-request.ts";
import { upstreamFailed } from "./replies.ts";
import { taskReplacement } from "./tasks.ts";

/** The reply for a result that is none of the gateway's own. */
export function presentResult(
  parts: GatewayParts,
  allowed: Allowed,
  result: ResultBytes,
): ActionReply {
  const { request, action, target } = allowed;
  const { server, tool } = target;
  const { client } = request;
  const { key } = client.principal;
  const { value } = result;
  for (const uri of mentionedUris(value)) parts.fleet.rememberUri(server.id, uri, key);
  const isGuarded = isResultGuarded(parts, allowed);
  const continuity = continuityKey(client.principal);
  const place = {
    server: server.id,
    tool: tool?.name ?? "",
    principalKey: key,
    continuity,
    isGuarded,
  };
  const replacements = [
    uriReplacement(value, server),
    taskReplacement(parts, action.type, value, place),
  ].filter((replacement) => replacement !== undefined);
  const named = rename(result.bytes, replacements);
  if (named === undefined) {
    const message = `server "${server.id}": its result could not be rewritten (decision ${action.decisionId})`;
    return upstreamFailed(action, "upstream_garbage", message);
  }
  const isSame = named === result.bytes;
  const shown = isSame ? result : { bytes: named, value };
  const wraps = tool?.wrapsResult === true;
  const bytes = client.era === "legacy" ? wrapStructured(shown, wraps) : named;
  const { members } = result;
  if (bytes === result.bytes && members !== undefined)
    return { kind: "result", origin: "upstream", bytes, value, members };
  return { kind: "result", origin: "upstream", bytes, value };
}

/** One pass for all that is renamed; most results name nothing. */
function rename(bytes: Buffer, replacements: readonly ReplaceString[]): Buffer | undefined {
  if (replacements.length === 0) return bytes;
  return rewriteStrings(bytes, (path, text) => {
    for (const replace of replacements) {
      const replaced = replace(path, text);
      if (replaced !== undefined) return replaced;
    }
    return undefined;
  });
}
