/**
 * The Streamable HTTP front as the rest of the gateway sees its configuration.
 */
import type { AgentIdentity, UserIdentity } from "../contract/policy-input.ts";

/** The Streamable HTTP front. */
export interface HttpConfig {
  /** Canonical URL of the endpoint, path included; `undefined`: made of the listener's address. */
  readonly publicUrl: string | undefined;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly maxBodyBytes: number;
  readonly maxSessions: number;
  readonly sessionIdleMs: number;
  /** `undefined`: nobody is asked for a token, and only loopback is listened on. */
  readonly authorization: AuthorizationConfig | undefined;
}

export interface AuthorizationConfig {
  readonly issuers: readonly IssuerConfig[];
  readonly tokens: readonly StaticToken[];
}

/** One authorization server whose tokens are accepted. */
export interface IssuerConfig {
  readonly issuer: string;
  readonly jwksUri: string | undefined;
  /** `undefined`: the gateway's own canonical URL. */
  readonly audience: readonly string[] | undefined;
  readonly algorithms: readonly string[];
  /** Dotted paths of claims. */
  readonly claims: {
    readonly agent: string;
    readonly agentVersion: string | undefined;
    readonly agentModel: string | undefined;
    readonly user: string;
    readonly groups: string;
    readonly dataClassificationsAuthorized: string | undefined;
    readonly agentScope: string | undefined;
    readonly ownerTeam: string | undefined;
    readonly parent: string | undefined;
    readonly conversation: string | undefined;
  };
}

/** A bearer token of which only the digest is known. */
export interface StaticToken {
  /** 64 hexadecimal digits. */
  readonly sha256: string;
  readonly agent: AgentIdentity;
  readonly user: UserIdentity;
  readonly servers: readonly string[] | undefined;
}
