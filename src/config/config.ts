/**
 * The configuration as the rest of the gateway sees it: checked, defaults filled in, secrets
 * expanded, every path absolute. Types only; `load-config.ts` makes the values. The file's own
 * names are snake_case (`config-schema.ts`), these are not.
 */
import type { DecisionsConfig } from "./decisions-config.ts";
import type { TextRules } from "./texts-schema.ts";
import type { AdminConfig } from "./admin-config.ts";
import type { MetricsConfig, OtlpConfig } from "./telemetry-config.ts";
import type { CanaryLimits } from "./canary-limits.ts";
import type { ApprovalsConfig } from "./approvals-config.ts";
import type { NotifyChannel } from "./notify-schema.ts";
import type { HttpConfig } from "./http-config.ts";
import type { LayerKind } from "../contract/bundle.ts";
import type { DetectorKind } from "../contract/detector-kind.ts";
import type { RegistryConfig } from "./registry-config.ts";
import type { AgentIdentity, EnvironmentFacts, UserIdentity } from "../contract/policy-input.ts";

export type { CanaryLimits } from "./canary-limits.ts";
export type { CheckpointsConfig, DecisionsConfig, MaskingConfig } from "./decisions-config.ts";
export type { AuthorizationConfig, HttpConfig, IssuerConfig, StaticToken } from "./http-config.ts";

/** One resolved configuration file. */
export interface GatewayConfig {
  /** Absolute path of the file itself. */
  readonly path: string;
  readonly profile: "strict" | "trial";
  readonly tenant: string;
  /** On stdio the operator vouches for it, so `authenticated` is true. */
  readonly agent: AgentIdentity;
  readonly user: UserIdentity;
  /** Everybody of whom more is known than the id, by id: whom a sub-agent may name as its parent. */
  readonly agents: ReadonlyMap<string, AgentIdentity>;
  /** Patterns of agents that may say in `_meta` which conversation a request belongs to. */
  readonly trustedRuntimes: readonly string[];
  readonly environment: EnvironmentFacts;
  /** By server id, in the order of the file; disabled ones are in it. */
  readonly servers: ReadonlyMap<string, ServerConfig>;
  /** In the order of the file. */
  readonly layers: readonly LayerConfig[];
  /** Everybody in `trust`. */
  readonly signers: readonly SignerConfig[];
  readonly decisions: DecisionsConfig;
  /** What the file keeps secret: in no log and no record, whoever repeats it. */
  readonly secrets?: readonly string[];
  readonly policy: PolicyLimits;
  /** Waivers in force that count for one call. */
  readonly maxWaivers: number;
  readonly approvals: ApprovalsConfig;
  /** Whom an obligation may have told. */
  readonly notify: readonly NotifyChannel[];
  readonly http: HttpConfig;
  readonly admin: AdminConfig;
  readonly metrics: MetricsConfig;
  /** Where metrics and spans are sent; `undefined`: nowhere. */
  readonly otlp: OtlpConfig | undefined;
  /** Signs what clients hand back; `undefined`: a key in the state folder. */
  readonly stateKey: string | undefined;
  /** `redis://` or `rediss://` URL of what keeps the counters; `undefined`: the store of decisions. */
  readonly state: {
    readonly redisUrl: string | undefined;
    /** What conversations have seen is in `redisUrl`, else in the Postgres of `decisions.store`. */
    readonly sharesConversations: boolean;
  };
  /** By exact host, `registry.example:5000`. */
  readonly registries: ReadonlyMap<string, RegistryConfig>;
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
  /** Asked about what was decided; never decides. */
  readonly shadow?: PolicySource | undefined;
  /** Asked about some principals; can only tighten. */
  readonly canary?: CanaryConfig | undefined;
  readonly naming: "prefix" | "bare";
  /** Tools that the server's bundle may grant at most; `undefined` sets no ceiling. */
  readonly ceiling: readonly string[] | undefined;
  /** `allow`: a tool call is granted where its bundle has no rule that grants, and refuses nothing. */
  readonly defaultEffect?: "deny" | "allow";
  readonly region: string | null;
  readonly external: boolean;
  /** By exact tool name. */
  readonly tools: ReadonlyMap<string, ToolConfig>;
  /** Class of data that each built-in detector brings; those that are switched off are not in it. */
  readonly detectors: ReadonlyMap<DetectorKind, string>;
  /** What its words have to be like; `undefined`: as without a setting. */
  readonly texts?: TextRules | undefined;
  readonly startTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly disabled: boolean;
  /** Where `server upgrade` finds releases. */
  readonly releaseReference?: string | undefined;
  /** What the server has to be; filled in from the lock. */
  readonly release?: ServerRelease | undefined;
}

/** What a release says of a server, for the gateway to check. */
export interface ServerRelease {
  /** Of the package, or digest of the image. */
  readonly version: string;
  /** What the program has to say it is. */
  readonly serverInfo: { readonly name: string; readonly version: string } | undefined;
  /** Digests of definitions by exact tool name. */
  readonly pins: ReadonlyMap<string, string>;
  /** Digests of the bundles that belong to it, by server id or layer name. */
  readonly bundles: ReadonlyMap<string, string>;
  /** Versions that may use it, by id of the agent; `undefined`: every agent may. */
  readonly agents: ReadonlyMap<string, readonly string[]> | undefined;
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
  /** PEM file of the authority of its certificate; not said: those that Node trusts. */
  readonly caFile?: string | undefined;
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

/** The operator's labels of one tool: a floor that policies can only add to. */
export interface ToolConfig {
  readonly dataClasses: readonly string[];
  readonly labels: readonly string[];
  /** What its result brings besides. */
  readonly result?: {
    readonly dataClasses: readonly string[];
    readonly labels: readonly string[];
  };
}

/** One layer of the organisation. */
export interface LayerConfig {
  readonly name: string;
  readonly kind: Exclude<LayerKind, "server">;
  readonly policy: PolicySource;
  /** Asked about what was decided; never decides. */
  readonly shadow?: PolicySource | undefined;
  /** Asked about some principals; can only tighten. */
  readonly canary?: CanaryConfig | undefined;
  /** When it is asked at all; `undefined`: always. */
  readonly when: LayerCondition | undefined;
  /** Its own denials and holds are only recorded until then; `undefined`: they are enforced. */
  readonly observedUntilMs: number | undefined;
}

/** What has to be true, all of it; what is `undefined` is not looked at. Patterns of names. */
export interface LayerCondition {
  readonly servers: readonly string[] | undefined;
  readonly agents: readonly string[] | undefined;
  readonly regions: readonly string[] | undefined;
  readonly isProduction: boolean | undefined;
}

/** Where a bundle comes from. */
export interface PolicySource {
  /** `oci://…`, `https://…`, `git+https://…`, `oci-layout:ABSOLUTE…` or `file:ABSOLUTE`. */
  readonly reference: string;
  readonly trust: SourceTrust;
  readonly cadence: SourceCadence;
  /** `accept`: its bundle may come without the sources that it was compiled from. */
  readonly opaque?: "refuse" | "accept";
}

/** A bundle that is tried on some principals beside the one that decides for all. */
export interface CanaryConfig {
  readonly policy: PolicySource;
  /** Share of principals, above 0 and at most 100. */
  readonly percent: number;
  readonly abort: CanaryLimits;
}

/** When a source is asked, and what becomes of what it has. */
export interface SourceCadence {
  /** `undefined`: once, when the gateway starts. */
  readonly pollMs: number | undefined;
  /** How long a bundle service may hold an answer back; `undefined`: it is asked on its cadence. */
  readonly longPollMs: number | undefined;
  /**
   * `manual`: what is new waits for `bundle activate`; `no_new_allow`: where it allows anything that
   * recorded decisions did not, or nobody can say.
   */
  readonly activation: "auto" | "manual" | "no_new_allow";
  /** How much history `no_new_allow` looks at. */
  readonly replaySinceMs: number;
  readonly replayLimit: number;
  /** Without a word of the source for so long its bundle is withdrawn; `undefined`: never. */
  readonly maxStalenessMs: number | undefined;
}

/** What has to vouch for the bundle of a source before it is activated. */
export interface SourceTrust {
  /** `digest`: it is pinned by its reference or the lock; `signature`: one of the signers signed. */
  readonly require: "signature" | "digest" | "none";
  /** Any one of them is enough; empty unless `require` is `signature`. */
  readonly signers: readonly SignerConfig[];
}

/** Somebody whose signature is good enough. Paths are absolute. */
export type SignerConfig =
  | {
      readonly type: "cosign-key";
      readonly name: string;
      /** PEM, or the path of a file with it. */
      readonly key: string;
    }
  | {
      readonly type: "sigstore";
      readonly name: string;
      /** Exact; or `identityRegex`, which has to match as a whole. */
      readonly identity: string | undefined;
      readonly identityRegex: string | undefined;
      readonly issuer: string;
      /** Path; `undefined`: the public good instance, as known when this version was made. */
      readonly trustedRoot: string | undefined;
    }
  | {
      readonly type: "opa";
      readonly name: string;
      readonly keyid: string;
      /** PEM or the path of a file with it; the secret itself for an HS algorithm. */
      readonly key: string;
      readonly algorithm: OpaAlgorithm;
      readonly scope: string | undefined;
    };

/** Algorithms of `.signatures.json`: those that OPA has. */
export const opaAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "HS256",
  "HS384",
  "HS512",
] as const;
export type OpaAlgorithm = (typeof opaAlgorithms)[number];

/** Limits of one policy evaluation. */
export interface PolicyLimits {
  readonly deadlineMs: number;
  readonly inputMaxBytes: number;
  readonly memoryMaxMb: number;
}
