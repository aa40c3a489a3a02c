/**
 * What the configuration says about the decision record, as the gateway reads it.
 */
import type { DetectorKind } from "../contract/detector-kind.ts";

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
  readonly masking: MaskingConfig;
  readonly retention: RetentionConfig;
  /** `undefined`: a gateway exports nothing by itself. */
  readonly export: ExportConfig | undefined;
}

/** What the record does not say. */
export interface MaskingConfig {
  /** JSON pointers into the record; `*` stands for any one name. */
  readonly paths: readonly string[];
  /** What is masked wherever it is found. */
  readonly detectors: readonly DetectorKind[];
  /** Whether input schemas of tools say what is secret. */
  readonly usesSchema: boolean;
  /** Hashes what is masked; `undefined`: a key of the state folder. */
  readonly key: string | undefined;
  /** Public keys, X25519 in PEM, that originals are sealed to; with none they are not kept. */
  readonly recipients: readonly string[];
}

/** Who vouches for the record, and where. */
export interface CheckpointsConfig {
  /** `undefined`: `checkpoints` in the state folder. */
  readonly folder: string | undefined;
  /** Private key, Ed25519, PEM; `undefined`: one of the state folder. */
  readonly key: string | undefined;
  readonly everyMs: number;
}

/** How long records are kept; whole days in UTC. */
interface RetentionConfig {
  /** Of inputs and answers; `undefined`: as long as headers. */
  readonly payloadDays: number | undefined;
  /** Of everything; `undefined`: for ever. */
  readonly headerDays: number | undefined;
}

/** Where a gateway sends decisions by itself. */
export interface ExportConfig {
  readonly to:
    | { readonly kind: "http"; readonly url: string }
    | { readonly kind: "file"; readonly path: string }
    | { readonly kind: "stdout" };
  /** `opa`: decisions as OPA logs them; `jsonl`: every record as it was written. */
  readonly format: "opa" | "jsonl";
  /** Of requests to a receiver. */
  readonly headers: Readonly<Record<string, string>>;
  /** What is sent at once, before gzip; a larger event goes alone. */
  readonly uploadSizeLimitBytes: number;
  /** With Postgres: what stays on disk for a target that is away. */
  readonly bufferSizeLimitBytes: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}
