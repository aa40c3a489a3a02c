/**
 * What the configuration says about the decision record, as the gateway reads it.
 */

/** Where decisions go and what happens when they cannot. */
export interface DecisionsConfig {
  readonly store:
    | { readonly kind: "embedded" }
    | { readonly kind: "postgres"; readonly url: string };
  readonly durability: "sync" | "async";
  readonly onFailure: "fail_operation" | "shutdown" | "continue";
  /** `Number.MAX_SAFE_INTEGER` means: as far as the disk goes. */
  readonly spoolMaxBytes: number;
  readonly checkpoints: CheckpointsConfig;
}

/** Who vouches for the record, and where. */
export interface CheckpointsConfig {
  /** `undefined`: `checkpoints` in the state folder. */
  readonly folder: string | undefined;
  /** Private key, Ed25519, PEM; `undefined`: one of the state folder. */
  readonly key: string | undefined;
  readonly everyMs: number;
}
