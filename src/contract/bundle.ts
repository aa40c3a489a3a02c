/**
 * A policy bundle as the rest of the gateway sees it: opened, checked byte for byte, not yet
 * instantiated. Made by `bundle/`, consumed by `policy/engine/`.
 */

/** `sha256:<64 hex>` or `sha512:<128 hex>`. */
export type Digest = `sha256:${string}` | `sha512:${string}`;

/** Which kind of layer a bundle is; the manifest's `metadata.layer`, default `server`. */
export const layerKinds = ["identity", "server", "workflow", "compliance", "overrides"] as const;
export type LayerKind = (typeof layerKinds)[number];

/** What a bundle can be: a layer, or a library that other bundles copy rules from when built. */
export const bundleKinds = [...layerKinds, "library"] as const;
export type BundleKind = (typeof bundleKinds)[number];

/** Entrypoints of the compiled policy, as paths in `data` (`mcp/crm/decision`). */
export interface BundleEntrypoints {
  /** Answers the whole decision object. */
  readonly decision: string;
  /** Answers `{data_classes, labels}` only; absent where the bundle has neither rule. */
  readonly classify: string | undefined;
  /** Answers `{hide, capabilities}` only; absent where the bundle has neither rule. */
  readonly visibility: string | undefined;
}

export interface Bundle {
  /** The bundle's own name: manifest `metadata.name`, else the name it is configured under. */
  readonly name: string;
  /** As configured, without credentials. */
  readonly reference: string;
  /** Manifest digest for OCI sources; digest of the packed archive for `file:`. */
  readonly digest: Digest;
  /** Manifest `revision`, or `""`. */
  readonly revision: string;
  readonly kind: LayerKind;
  /** Dotted package of the policy, `mcp.crm`. */
  readonly policyPackage: string;
  readonly entrypoints: BundleEntrypoints;
  readonly wasm: Uint8Array;
  /** JSON text of the base document that the policy sees as `data`; `{}` where it ships none. */
  readonly dataJson: string;
  /** Rego sources by path, unpruned where the bundle ships them so. */
  readonly sources: ReadonlyMap<string, string>;
  /** True where it came without the sources of its policy; such a policy is never explained. */
  readonly isOpaque?: boolean;
  /** The manifest's `metadata` object. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Where the bytes came from; `cache`: the registry was away, or had not to be asked for a digest. */
  readonly origin: "registry" | "layout" | "service" | "git" | "cache" | "folder";
}

/** What was made of a bundle that was to be active. */
export type BundleActivation =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** What happened to the policy of a layer, and who wanted it. */
export interface BundleChange {
  readonly event:
    | "activated"
    /** Refused, for the reason in `code`; what was active stays. */
    | "rejected"
    /** Taken away, for the reason in `code`; calls are denied, or decided without the canary. */
    | "withdrawn"
    /** Somebody holds the layer at a bundle, gives it back to its source, or revokes a bundle. */
    | "held"
    | "resumed"
    | "revoked"
    /** Somebody takes a revocation back. */
    | "reinstated"
    /** Somebody moves program, pins and bundle of a server together. */
    | "released";
  readonly digest: Digest | undefined;
  /** What was active before. */
  readonly previous: Digest | undefined;
  /** `""` where it is not known. */
  readonly revision: string;
  /** A person, or `gateway`. */
  readonly by: string;
  readonly why: string | null;
  readonly code: string | null;
  /** Names of those who vouched for it. */
  readonly signers: readonly string[];
}
