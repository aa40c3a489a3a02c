/**
 * What a thread that opens an archive is given, and what it answers.
 */
import type { Digest } from "../../contract/bundle.ts";
import type { BundleErrorCode } from "../bundle-error.ts";
import type { Carried } from "../verify/judge-carried.ts";
import type { OpaSigner } from "../verify/trust.ts";

export interface UnpackRequest {
  readonly archive: Uint8Array;
  /** Their keys are passed on as key objects; no secret becomes text. */
  readonly signers: readonly OpaSigner[];
}

export type UnpackReply =
  | {
      readonly type: "opened";
      readonly files: readonly (readonly [path: string, content: Uint8Array])[];
      readonly content: Digest;
      readonly carried: Carried;
    }
  | { readonly type: "refused"; readonly code: BundleErrorCode; readonly message: string }
  /** A fault of our own. */
  | { readonly type: "failed"; readonly message: string };
