/**
 * Says for whom a request of the HTTP front is: the gateway as an OAuth 2.1 resource server, and
 * static tokens for small teams. It promises that nobody gets in by a doubt, that no token is
 * logged, answered or handed on, and that strangers cannot make it ask an issuer more than once in a
 * while. Sessions and what a principal may do are others' business.
 */
import { hash } from "node:crypto";
import type { AuthorizationConfig, IssuerConfig } from "../../../config/config.ts";
import type { Clock, Log } from "../../../contract/ambient.ts";
import type { Principal } from "../../../contract/principal.ts";
import { answerRefusal } from "./answer-refusal.ts";
import type { Authentication, Refusal } from "./authentication.ts";
import { buildPrincipal } from "./build-principal.ts";
import type { Fetch } from "./fetch-json.ts";
import { createKeySet } from "./key-set.ts";
import { loadKeys } from "./load-keys.ts";
import { readBearer } from "./read-bearer.ts";
import { readScopes } from "./read-scopes.ts";
import { createRefusalLog } from "./refusal-log.ts";
import type { ResourceMetadata } from "./resource-metadata.ts";
import { buildResourceMetadata, resourceMetadataUrl } from "./resource-metadata.ts";
import { createStaticTokens } from "./static-tokens.ts";
import { createTokenCache } from "./token-cache.ts";
import type { TrustedIssuer, VerifiedToken } from "./verify-token.ts";
import { createTokenVerifier } from "./verify-token.ts";

export interface AuthenticatorOptions {
  readonly config: AuthorizationConfig;
  /** Canonical URL of the gateway's endpoint, which tokens name as their audience. */
  readonly resource: string;
  /** Config ids. */
  readonly servers: readonly string[];
  readonly tenant: string;
  readonly clock: Clock;
  readonly fetch: Fetch;
  readonly log: Log;
}

export interface Authenticator {
  /** Judges the value of the one `Authorization` header; never rejects. */
  readonly authenticate: (request: {
    readonly authorization: string | undefined;
  }) => Promise<Authentication>;
  /** Protected resource metadata (RFC 9728); `undefined` where only static tokens are known. */
  readonly metadata: ResourceMetadata | undefined;
  /** Where it has to be served. */
  readonly metadataUrl: string;
}

type Identified = Extract<Authentication, { readonly ok: true }> | Refusal;

/** Makes an authenticator; issuers are first asked when a token of theirs comes. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { config, resource, servers, clock, log } = options;
  const metadata = buildResourceMetadata(
    resource,
    config.issuers.map(({ issuer }) => issuer),
    servers,
  );
  const metadataUrl = resourceMetadataUrl(resource);
  const facts = { metadataUrl: metadata && metadataUrl, servers };
  const identify = createIdentification(options);
  const tellRefusal = createRefusalLog(log, clock);
  return {
    authenticate: async ({ authorization }) => {
      const bearer = readBearer(authorization);
      const identified = bearer.ok ? await identify(bearer.token) : bearer;
      if (identified.ok) return identified;
      tellRefusal(identified);
      return answerRefusal(identified, facts);
    },
    metadata,
    metadataUrl,
  };
}

/** Whose token it is: a configured one, one that was verified lately, or one to verify. */
function createIdentification(options: AuthenticatorOptions) {
  const { config, tenant, clock } = options;
  const findStatic = createStaticTokens(config.tokens, tenant);
  const issuers = trustIssuers(options);
  const verify = createTokenVerifier(issuers, clock);
  const cache = createTokenCache(clock);
  return async (token: string): Promise<Identified> => {
    const digest = hash("sha256", token, "buffer");
    const handedOut = findStatic(digest);
    if (handedOut !== undefined) return { ok: true, principal: handedOut, expiresAtMs: undefined };
    const key = digest.toString("hex");
    const known = cache.get(key);
    if (known !== undefined) return { ok: true, ...known };
    const isPossible = issuers.size > 0 && token.includes(".");
    if (!isPossible) return { ok: false, reason: "token_unknown" };
    const verified = await verify(token);
    if (!verified.ok) return verified;
    const { expiresAtMs } = verified;
    const identified = identifyVerified(verified, options);
    if (!identified.ok) return identified;
    const { principal } = identified;
    cache.set(key, { principal, expiresAtMs });
    return { ok: true, principal, expiresAtMs };
  };
}

function identifyVerified(
  { claims, issuer }: Extract<VerifiedToken, { readonly ok: true }>,
  { config, servers, tenant }: AuthenticatorOptions,
): { readonly ok: true; readonly principal: Principal } | Refusal {
  const granted = readScopes(claims, servers);
  if (granted === "none") {
    return { ok: false, reason: "scope_insufficient", issuer: issuer.issuer };
  }
  const qualified = config.issuers.length > 1;
  return buildPrincipal({ claims, issuer, tenant, granted, qualified });
}

function trustIssuers(options: AuthenticatorOptions): ReadonlyMap<string, TrustedIssuer> {
  const own = canonicalForms(options.resource);
  return new Map(
    options.config.issuers.map((config) => [
      config.issuer,
      { config, audience: config.audience ?? own, keys: keysOf(config, options) },
    ]),
  );
}

function keysOf(config: IssuerConfig, { fetch, clock, log }: AuthenticatorOptions) {
  const { issuer, jwksUri } = config;
  return createKeySet({
    load: () => loadKeys({ issuer, jwksUri, fetch }),
    clock,
    log: log.child({ issuer }),
  });
}

/** A URL without a path is the same with and without its slash (RFC 3986 §6.2.3). */
function canonicalForms(resource: string): readonly string[] {
  const { origin, pathname, search } = new URL(resource);
  const isBare = pathname === "/" && search === "";
  return isBare ? [origin, `${origin}/`] : [resource];
}
