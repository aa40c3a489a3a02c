/**
 * Verifies a JWT access token (RFC 9068) against the configured issuers. Everything that the token
 * says before its signature is checked serves only to choose the issuer's key: addresses and keys
 * in its header (`jku`, `x5u`, `jwk`, `x5c`) are never looked at.
 */
import type { JWTPayload } from "jose";
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from "jose";
import type { IssuerConfig } from "../../../config/config.ts";
import type { Clock } from "../../../contract/ambient.ts";
import type { Refusal, RefusalReason } from "./authentication.ts";
import type { KeySet } from "./key-set.ts";

/** One accepted issuer. */
export interface TrustedIssuer {
  readonly config: IssuerConfig;
  /** Audiences of which a token must name one. */
  readonly audience: readonly string[];
  readonly keys: KeySet;
}

export type VerifiedToken =
  | {
      readonly ok: true;
      readonly issuer: IssuerConfig;
      readonly claims: Readonly<Record<string, unknown>>;
      /** From when on it is refused, in milliseconds since the epoch. */
      readonly expiresAtMs: number;
    }
  | Refusal;

export type VerifyToken = (token: string) => Promise<VerifiedToken>;

const leewaySeconds = 30;
const accessTokenTypes = new Set(["jwt", "at+jwt", "application/jwt", "application/at+jwt"]);
/** Whatever a configuration lists: without a signature, or with a secret, is no token. */
const asymmetric = /^(?:RS|PS|ES)(?:256|384|512)$|^EdDSA$/;

/** Makes the verification for these issuers, by their exact `iss`. */
export function createTokenVerifier(
  issuers: ReadonlyMap<string, TrustedIssuer>,
  clock: Clock,
): VerifyToken {
  return async (token) => {
    const claimed = readUnverified(token);
    if (claimed === undefined) return refuse("token_malformed");
    const trusted = issuers.get(claimed.issuer);
    if (trusted === undefined) return refuse("issuer_unknown");
    const issuer = trusted.config.issuer;
    const headerProblem = judgeHeader(claimed, trusted.config.algorithms);
    if (headerProblem !== undefined) return refuse(headerProblem, issuer);
    const { alg, kid } = claimed;
    const found = await trusted.keys.find({ alg, kid });
    if (!found.ok) return refuse(found.reason, issuer);
    const nowMs = clock.nowMs();
    try {
      const { payload } = await jwtVerify(token, found.key, {
        algorithms: [alg],
        issuer,
        audience: [...trusted.audience],
        clockTolerance: leewaySeconds,
        currentDate: new Date(nowMs),
        requiredClaims: ["exp"],
      });
      return judgeClaims(payload, trusted.config, nowMs);
    } catch (error) {
      return refusalOf(error, issuer);
    }
  };
}

interface Unverified {
  readonly issuer: string;
  readonly alg: string;
  readonly kid: string | undefined;
  readonly typ: unknown;
}

function readUnverified(token: string): Unverified | undefined {
  try {
    const { alg, kid, typ }: Readonly<Record<string, unknown>> = decodeProtectedHeader(token);
    const { iss }: Readonly<Record<string, unknown>> = decodeJwt(token);
    if (typeof alg !== "string" || typeof iss !== "string") return undefined;
    if (kid !== undefined && typeof kid !== "string") return undefined;
    return { issuer: iss, alg, kid, typ };
  } catch {
    return undefined;
  }
}

function judgeHeader(
  { alg, typ }: Unverified,
  algorithms: readonly string[],
): RefusalReason | undefined {
  if (!algorithms.includes(alg) || !asymmetric.test(alg)) return "algorithm_refused";
  if (typ === undefined) return undefined;
  const isAccessToken = typeof typ === "string" && accessTokenTypes.has(typ.toLowerCase());
  return isAccessToken ? undefined : "type_refused";
}

/** What jose leaves to its caller: no token of the future, none that is bound to a key. */
function judgeClaims(payload: JWTPayload, issuer: IssuerConfig, nowMs: number): VerifiedToken {
  const { iat = 0, exp = 0 } = payload;
  if (iat > nowMs / 1000 + leewaySeconds) return refuse("token_not_yet_valid", issuer.issuer);
  if (payload["cnf"] !== undefined) return refuse("proof_unsupported", issuer.issuer);
  return { ok: true, issuer, claims: payload, expiresAtMs: (exp + leewaySeconds) * 1000 };
}

function refusalOf(error: unknown, issuer: string): Refusal {
  if (error instanceof errors.JWTClaimValidationFailed && error.reason !== "check_failed") {
    const reason = error.reason === "missing" ? "claim_missing" : "claim_invalid";
    return { ok: false, reason, issuer, claim: error.claim };
  }
  return refuse(reasonOf(error), issuer);
}

function reasonOf(error: unknown): RefusalReason {
  if (error instanceof errors.JWTExpired) return "token_expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === "aud" ? "audience_mismatch" : "token_not_yet_valid";
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return "signature_invalid";
  if (error instanceof errors.JOSENotSupported) return "token_unsupported";
  if (error instanceof errors.JOSEError) return "token_malformed";
  return "key_unusable";
}

function refuse(reason: RefusalReason, issuer?: string): Refusal {
  return issuer === undefined ? { ok: false, reason } : { ok: false, reason, issuer };
}
