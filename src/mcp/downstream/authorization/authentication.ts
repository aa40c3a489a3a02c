/**
 * What the front learns about the sender of a request: for whom it acts, or with which status and
 * challenge it is refused. Neither side of it holds the token, so nothing behind it can pass one on.
 */
import type { Principal } from "../../../contract/principal.ts";

/** How one request was authenticated. */
export type Authentication =
  | {
      readonly ok: true;
      readonly principal: Principal;
      /**
       * From when on the token is refused, in milliseconds since the epoch; `undefined`: never. It is
       * for whoever keeps a connection open, and no part of the principal.
       */
      readonly expiresAtMs: number | undefined;
    }
  | {
      readonly ok: false;
      readonly status: 401 | 403;
      /** Value of the `WWW-Authenticate` header. */
      readonly wwwAuthenticate: string;
      /** One lower-case sentence for the body; never part of a token. */
      readonly message: string;
    }
  | {
      readonly ok: false;
      /** The issuer's keys are out of reach: says nothing about the token. */
      readonly status: 503;
      /** Value of the `Retry-After` header. */
      readonly retryAfterSeconds: number;
      readonly message: string;
    };

/** Why a request is not let in; `docs/authorization.md` has a row for each. */
export type RefusalReason =
  /** No `Authorization` header. */
  | "token_missing"
  /** Another scheme than `Bearer`. */
  | "scheme_unknown"
  /** No bearer token by its characters or length, or no JWT where one is needed. */
  | "token_malformed"
  /** Neither a configured token nor a JWT of a configured issuer. */
  | "token_unknown"
  | "issuer_unknown"
  /** Another algorithm than those of the issuer; `none` and HMAC always. */
  | "algorithm_refused"
  /** The header's `typ` is that of something else than an access token. */
  | "type_refused"
  /** A critical header parameter or an algorithm that is not understood. */
  | "token_unsupported"
  | "key_unknown"
  /** Without `kid`, or with one that several keys share. */
  | "key_ambiguous"
  /** The issuer's key is broken or too short. */
  | "key_unusable"
  | "signature_invalid"
  | "token_expired"
  | "token_not_yet_valid"
  | "audience_mismatch"
  /** Bound to a key that the sender has to prove; the proof cannot be checked here. */
  | "proof_unsupported"
  | "claim_missing"
  | "claim_invalid"
  | "scope_insufficient"
  | "issuer_unavailable";

/** A refusal as the stages of this folder hand it up. */
export interface Refusal {
  readonly ok: false;
  readonly reason: RefusalReason;
  /** Name of the claim that is missing or invalid. */
  readonly claim?: string;
  /** Configured issuer whose token it is. */
  readonly issuer?: string;
}
