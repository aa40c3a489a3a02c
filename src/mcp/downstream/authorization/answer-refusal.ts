/**
 * A refusal as the client hears it: a status and a challenge (RFC 6750 §3, RFC 9728 §5.1). The words
 * are of this file and of the configuration; nothing of the token is in them.
 */
import type { Authentication, Refusal, RefusalReason } from "./authentication.ts";
import { retryAfterSeconds } from "./key-set.ts";
import { scopeOf } from "./read-scopes.ts";

/** What every challenge says. */
export interface ChallengeFacts {
  /** `undefined` where there is no metadata to look at. */
  readonly metadataUrl: string | undefined;
  readonly servers: readonly string[];
}

type Refused = Extract<Authentication, { readonly ok: false }>;

/** Longer lists are left out of the challenge, which has to fit a header; metadata has them all. */
const maxScopeLength = 4096;

const sentences: Readonly<Record<RefusalReason, string>> = {
  token_missing: "expected a bearer token in the Authorization header, found none",
  scheme_unknown: "expected the Bearer scheme in the Authorization header, found another",
  token_malformed: "expected one well-formed bearer token of at most 16384 characters",
  token_unknown: "the token is not known here",
  issuer_unknown: "the token is of an issuer that is not accepted here",
  algorithm_refused: "the token is signed with an algorithm that is not accepted of its issuer",
  type_refused: "the token is no access token by its typ",
  token_unsupported: "the token needs an extension that is not supported",
  key_unknown: "the token is signed with a key that its issuer does not show",
  key_ambiguous: "the token does not say which of the issuer's keys signed it",
  key_unusable: "the issuer's key for this token cannot be used",
  signature_invalid: "the token's signature is not that of its issuer",
  token_expired: "the token has expired",
  token_not_yet_valid: "the token is not valid yet",
  audience_mismatch: "the token is for another audience",
  proof_unsupported: "the token is bound to a key; proofs of possession are not supported",
  claim_missing: "the token has no claim",
  claim_invalid: "the token has an unexpected value in its claim",
  scope_insufficient: "the token has no scope for any server",
  issuer_unavailable: "the issuer's keys cannot be fetched; try again later",
};

/** Status, challenge and sentence of a refusal. */
export function answerRefusal(refusal: Refusal, facts: ChallengeFacts): Refused {
  const { reason, claim } = refusal;
  const message = claim === undefined ? sentences[reason] : `${sentences[reason]} ${claim}`;
  if (reason === "issuer_unavailable") {
    return { ok: false, status: 503, retryAfterSeconds, message };
  }
  const status = reason === "scope_insufficient" ? 403 : 401;
  return { ok: false, status, wwwAuthenticate: challengeOf(reason, message, facts), message };
}

function challengeOf(reason: RefusalReason, message: string, facts: ChallengeFacts): string {
  const error = errorOf(reason);
  const scope = facts.servers.map(scopeOf).join(" ");
  const parameters = [
    ["realm", "mcp-gateway"],
    ["resource_metadata", facts.metadataUrl],
    ["error", error],
    ["error_description", error && message],
    ["scope", scope === "" || scope.length > maxScopeLength ? undefined : scope],
  ] as const;
  const texts = parameters.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}="${printable(value)}"`],
  );
  return `Bearer ${texts.join(", ")}`;
}

/** RFC 6750 §3.1: no error where the request said nothing of a bearer token. */
function errorOf(reason: RefusalReason): string | undefined {
  if (reason === "token_missing" || reason === "scheme_unknown") return undefined;
  return reason === "scope_insufficient" ? "insufficient_scope" : "invalid_token";
}

/** The characters that RFC 6750 §3 allows in these values. */
function printable(value: string): string {
  return value.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "?");
}
