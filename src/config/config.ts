/**
 * The configuration as the rest of the gateway sees it: checked, defaults filled in, secrets
 * expanded, every path absolute. Types only; `load-config.ts` makes the values. The file's own
 * names are snake_case (`config-schema.ts`), these are not.
 */
import type { LayerKind } from "../contract/bundle.ts";
import type { AgentIdentity, EnvironmentFacts, UserIdentity } from "../contract/policy-input.ts";

/** One resolved configuration file. */
export interface GatewayConfig {
  /** Absolute path of the file itself. */
  readonly path: string;
  readonly profile: "strict" | "trial";
  readonly tenant: string;
  /** On stdio the operator vouches for it, so `authenticated` is true. */
  readonly agent: AgentIdentity;
  readonly user: UserIdentity;
  readonly environment: EnvironmentFacts;
  /** By server id, in the order of the file; disabled ones are in it. */
  readonly servers: ReadonlyMap<string, ServerConfig>;
  /** In the order of the file. */
  readonly layers: readonly LayerConfig[];
  readonly decisions: DecisionsConfig;
  readonly policy: PolicyLimits;
  readonly http: HttpConfig;
  /** Signs what clients hand back; `undefined`: a key in the state folder. */
  readonly stateKey: string | undefined;
  /** Credentials by exact registry host, `registry.example:5000`. */
  readonly registries: ReadonlyMap<string, RegistryCredentials>;
  /** `strict`, or `trial:` and the settings that weaken it (`trial:none` where none does). */
  readonly posture: string;
}

/** One upstream server and what the operator says about it. */
export interface ServerConfig {
  readonly id: string;
  readonly transport: StdioTransport | HttpTransport;
  readonly protocol: "auto" | "legacy" | "modern";
  /** Who shares one connection to a server that keeps state per connection. */
  readonly sharing: "principal" | "session";
  /** What the operator lets the server ask of the client. */
  readonly toClient: readonly ("sampling" | "elicitation" | "roots")[];
  /** Told to this server in place of the client's own roots. */
  readonly roots: readonly Root[] | undefined;
  /** Whether resource URIs are exposed as they are, or with the server's id in front. */
  readonly resources: "original" | "prefix";
  /** 0: never closed for being idle. `undefined`: never for the one client on stdio, else 10 minutes. */
  readonly idleTimeoutMs: number | undefined;
  readonly maxConcurrent: number;
  /** One for each principal or session that shares one. */
  readonly maxConnections: number;
  /** Without one every call is denied with `no_policy`. */
  readonly policy: PolicySource | undefined;
  readonly naming: "prefix" | "bare";
  /** Tools that the server's bundle may grant at most; `undefined` sets no ceiling. */
  readonly ceiling: readonly string[] | undefined;
  readonly region: string | null;
  readonly external: boolean;
  /** By exact tool name. */
  readonly tools: ReadonlyMap<string, ToolConfig>;
  readonly startTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly disabled: boolean;
}

/** A server that the gateway starts. */
export interface StdioTransport {
  readonly kind: "stdio";
  readonly command: string;
  readonly args: readonly string[];
  /** Variables of this server alone, beside the allow-listed ones that every child gets. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute. */
  readonly cwd: string;
}

/** A server that is reached over Streamable HTTP. */
export interface HttpTransport {
  readonly kind: "http";
  readonly url: string;
  /** Secrets among them; never logged. */
  readonly headers: Readonly<Record<string, string>>;
  readonly oauth: UpstreamOauth | undefined;
}

/** How the gateway gets tokens of its own for an upstream server. */
export interface UpstreamOauth {
  readonly grant: "authorization_code" | "client_credentials";
  readonly clientId: string | undefined;
  readonly clientSecret: string | undefined;
  readonly clientMetadataUrl: string | undefined;
  readonly scopes: readonly string[];
  /** The only authorization server that is spoken to. */
  readonly issuer: string | undefined;
  readonly callbackPort: number | undefined;
}

export interface Root {
  readonly uri: string;
  readonly name?: string | undefined;
}

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
    readonly user: string;
    readonly groups: string;
    readonly dataClassificationsAuthorized: string | undefined;
    readonly agentScope: string | undefined;
    readonly ownerTeam: string | undefined;
    readonly parent: string | undefined;
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

/** The operator's labels of one tool: a floor that policies can only add to. */
export interface ToolConfig {
  readonly dataClasses: readonly string[];
  readonly labels: readonly string[];
}

/** One layer of the organisation. */
export interface LayerConfig {
  readonly name: string;
  readonly kind: Exclude<LayerKind, "server">;
  readonly policy: PolicySource;
}

/** Where a bundle comes from. */
export interface PolicySource {
  /** `oci://…`, `oci-layout:ABSOLUTE…` or `file:ABSOLUTE`. */
  readonly reference: string;
}

/** Where decisions go and what happens when they cannot. */
export interface DecisionsConfig {
  readonly store:
    | { readonly kind: "embedded" }
    | { readonly kind: "postgres"; readonly url: string };
  readonly durability: "sync" | "async";
  readonly onFailure: "fail_operation" | "shutdown" | "continue";
  /** `Number.MAX_SAFE_INTEGER` means: as far as the disk goes. */
  readonly spoolMaxBytes: number;
}

/** Limits of one policy evaluation. */
export interface PolicyLimits {
  readonly deadlineMs: number;
  readonly inputMaxBytes: number;
  readonly memoryMaxMb: number;
}

/** Basic authentication at one registry. */
export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}
