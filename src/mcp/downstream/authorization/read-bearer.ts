/**
 * The bearer token of a request (RFC 6750 §2.1), from the `Authorization` header and from nowhere
 * else: tokens in a query or a body are never looked at.
 */
import type { Refusal } from "./authentication.ts";

/** Longest token that is looked at, in characters; its alphabet is ASCII. */
const maxTokenLength = 16 * 1024;
const credentials = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

export type BearerToken = { readonly ok: true; readonly token: string } | Refusal;

/** Reads the one token that the header holds. */
export function readBearer(authorization: string | undefined): BearerToken {
  if (authorization === undefined) return { ok: false, reason: "token_missing" };
  if (!/^bearer(?: |$)/i.test(authorization)) return { ok: false, reason: "scheme_unknown" };
  if (authorization.length > maxTokenLength + "Bearer ".length) return malformed;
  const token = credentials.exec(authorization)?.[1];
  return token === undefined ? malformed : { ok: true, token };
}

const malformed = { ok: false, reason: "token_malformed" } as const;
