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
  /** Credentials by exact registry host, `registry.example:5000`. */
  readonly registries: ReadonlyMap<string, RegistryCredentials>;
  /** `strict`, or `trial:` and the settings that weaken it (`trial:none` where none does). */
  readonly posture: string;
}

/** One upstream server and what the operator says about it. */
export interface ServerConfig {
  readonly id: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Variables of this server alone, beside the allow-listed ones that every child gets. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute. */
  readonly cwd: string;
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
