/**
 * What the gateway's thread and a worker say to each other. Layers are named by their place in the
 * active set.
 */
import type { BundleEntrypoints, LayerKind } from "../../contract/bundle.ts";
import type { InputParts } from "../../contract/policy-input.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import type { EngineErrorCode } from "./engine-error.ts";
import type { LayerReading } from "./read-layer-output.ts";

/** A layer as a worker has to know it. */
export interface WorkerLayer {
  /** For kind `server` the config id of the server. */
  readonly name: string;
  readonly kind: LayerKind;
  readonly policyPackage: string;
  readonly entrypoints: BundleEntrypoints;
  readonly compiled: CompiledPolicy;
  readonly dataJson: string;
  /** Nobody can read what it was compiled from: each question is put to memory of its own. */
  readonly isOpaque?: boolean;
  /** It has rules about results; not said: nobody can tell. */
  readonly readsResults?: boolean;
  /** What the operator lets it grant by saying nothing. */
  readonly defaultEffect?: "deny" | "allow";
  /** The layer beside which it is asked, after all others. */
  readonly canaryOf?: string | undefined;
}

export interface LoadRequest {
  readonly type: "load";
  /** The layer's place in the set. */
  readonly index: number;
  readonly layer: WorkerLayer;
}

/** Arguments and what they are checked against, both as JSON text. */
export interface ArgumentCheckRequest {
  readonly schemaJson: string;
  /** Names the schema's text; a schema is compiled once for each. */
  readonly schemaDigest: string;
  readonly argumentsJson: string;
}

export type ArgumentFailure =
  | "arguments_invalid"
  | "schema_unusable"
  | "policy_timeout"
  | "policy_error";

export type ArgumentCheck =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code: ArgumentFailure;
      /** For the client: JSON pointers and keywords, never values. */
      readonly message: string;
    };

export interface DecideRequest {
  readonly type: "decide";
  readonly server: string;
  /** Names of layers that are not asked. */
  readonly unasked: readonly string[];
  readonly parts: InputParts;
  readonly timeMs: number;
  readonly check: ArgumentCheckRequest | undefined;
  /** What random builtins draw from. */
  readonly seed: string;
  /** The `nd_builtin_cache` of the record that is replayed. */
  readonly ndBuiltinCacheJson: string | undefined;
}

export interface VisibilityRequest {
  readonly type: "visibility";
  readonly server: string;
  readonly unasked: readonly string[];
  readonly inputs: readonly string[];
  /** For each input the same one of every agent above this one; for identity layers only. */
  readonly parentInputs: readonly (readonly string[])[];
  readonly timeMs: number;
  readonly seed: string;
}

/** A structured result that was changed, before its output schema. */
export interface CheckRequest {
  readonly type: "check";
  readonly check: ArgumentCheckRequest;
}

export type AskRequest = DecideRequest | VisibilityRequest | CheckRequest;

export type WorkerRequest = LoadRequest | AskRequest;

export type LoadReply =
  | { readonly type: "loaded" }
  | { readonly type: "refused"; readonly code: EngineErrorCode; readonly message: string };

/** What one layer answered, read strictly. */
export interface LayerAnswer {
  readonly index: number;
  readonly reading: LayerReading;
  /** Time it took; not of visibility. */
  readonly evalMs?: number | undefined;
}

export interface DecideReply {
  readonly type: "decided";
  readonly answers: readonly LayerAnswer[];
  readonly dataClasses: readonly string[];
  readonly labels: readonly string[];
  /** `input.layers` as stage C saw it. */
  readonly layersJson: string;
  /** OPA's `nd_builtin_cache` of all layers together; undefined where it would be empty. */
  readonly ndBuiltinCacheJson: string | undefined;
  readonly evalMs: number;
  readonly argumentCheck: ArgumentCheck | undefined;
}

export interface VisibilityReply {
  readonly type: "seen";
  /** One list of answers per input. */
  readonly answers: readonly (readonly LayerAnswer[])[];
}

export interface CheckReply {
  readonly type: "checked";
  readonly argumentCheck: ArgumentCheck;
}

export type WorkerReply = LoadReply | DecideReply | VisibilityReply | CheckReply;

/** What a worker is started with. */
export interface WorkerStart {
  readonly progress: SharedArrayBuffer;
  readonly inputMaxBytes: number;
  /** How long a layer may take for a plain call before it is relied on. */
  readonly latencyLimitMs: number;
}

/** Cells of the memory that a worker shares, so that its owner knows where it was when it ended. */
export const progressCells = { runningLayer: 0, finishedRequests: 1, length: 2 } as const;

/** Value of `runningLayer` while no policy runs. */
export const noLayer = -1;

/** Value of `runningLayer` while arguments are checked. */
export const argumentChecking = -2;
