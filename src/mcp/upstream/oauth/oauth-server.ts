/**
 * An upstream server as its OAuth client sees it: where it is, and what the operator says about
 * getting tokens for it. Everything that is not said is found out from the server.
 */
import type { UpstreamOauth } from "../../../config/config.ts";

export interface OauthServer {
  /** Its id in the configuration. */
  readonly id: string;
  /** The MCP endpoint. */
  readonly url: string;
  readonly oauth: UpstreamOauth | undefined;
  /** PEM file of the authority of its certificate. */
  readonly caFile?: string | undefined;
}

/** Settings of a server of which the configuration says nothing: a person logs in. */
const unsaid: UpstreamOauth = {
  grant: "authorization_code",
  clientId: undefined,
  clientSecret: undefined,
  clientMetadataUrl: undefined,
  scopes: [],
  issuer: undefined,
  callbackPort: undefined,
};

/** The operator's settings, or the defaults. */
export function settingsOf(server: OauthServer): UpstreamOauth {
  return server.oauth ?? unsaid;
}

/** What a person has to type; safe in a shell, because ids are. */
export function loginCommandOf(server: OauthServer): string {
  return `mcp-gateway server login ${server.id}`;
}
