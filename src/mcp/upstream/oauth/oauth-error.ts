/**
 * What goes wrong between the gateway and an authorization server. Messages name the server of the
 * configuration, hosts and keys; never a token, a secret, a code, or text that the other side wrote.
 */
import { GatewayError } from "../../../errors.ts";

/** Codes of `OauthError`; `docs/errors.md` has a row for each. */
export const oauthErrorCodes = [
  "oauth_unreachable",
  "oauth_url_refused",
  "oauth_response_too_large",
  "oauth_metadata_missing",
  "oauth_metadata_invalid",
  "oauth_issuer_mismatch",
  "oauth_resource_mismatch",
  "oauth_pkce_unsupported",
  "oauth_client_missing",
  "oauth_denied",
  "oauth_token_invalid",
  "oauth_login_timeout",
  "oauth_callback_unavailable",
  "oauth_store_insecure",
  "oauth_store_unusable",
] as const;
export type OauthErrorCode = (typeof oauthErrorCodes)[number];

/** A login, refresh or revocation that did not work; holds no cause, which could hold a secret. */
export class OauthError extends GatewayError<OauthErrorCode> {}
