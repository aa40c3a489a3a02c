/**
 * Asks a server without a token, to hear what it wants to be asked with. Only the status and the
 * `WWW-Authenticate` of the answer count; whatever else it says goes unread.
 */
import { gatewayName, gatewayVersion } from "../../../contract/version.ts";
import { noChallenge, readChallenge } from "./challenge.ts";
import type { Challenge } from "./challenge.ts";
import type { OauthFetch } from "./guarded-fetch.ts";
import type { OauthServer } from "./oauth-server.ts";

const protocolVersion = "2026-07-28";

/**
 * The challenge to a `server/discover`, which servers of every era refuse without a token where they
 * want one, and which changes nothing where they do not.
 *
 * @throws OauthError `oauth_unreachable`, `oauth_url_refused`.
 */
export async function probeChallenge(server: OauthServer, fetch: OauthFetch): Promise<Challenge> {
  const response = await fetch(server.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": protocolVersion,
      "mcp-method": "server/discover",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "server/discover",
      params: {
        _meta: {
          "io.modelcontextprotocol/protocolVersion": protocolVersion,
          "io.modelcontextprotocol/clientInfo": { name: gatewayName, version: gatewayVersion },
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    }),
  });
  if (response.status !== 401) return noChallenge;
  return readChallenge(server, response.headers.get("www-authenticate") ?? undefined);
}
