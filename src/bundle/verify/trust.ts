/**
 * The words of this folder: who may vouch for a bundle, and what was found out. A verdict is a
 * value; only a place that cannot be asked is an error.
 */
import type { KeyObject } from "node:crypto";
import type { OpaAlgorithm } from "../../config/config.ts";
import type { Digest } from "../../contract/bundle.ts";
import type { Descriptor } from "../oci-document.ts";
import type { IdentityMatch, TrustRoot } from "./keyless.ts";

/** Somebody whose signature is good enough. Any one of those configured is. */
export type Signer = KeySigner | KeylessSigner | OpaSigner;

/** Whoever holds the private half of a key: `cosign sign --key`, `bundle sign`. */
export interface KeySigner {
  readonly type: "cosign-key";
  /** As configured, for messages and reports. */
  readonly name: string;
  readonly key: KeyObject;
}

/** An identity that a certificate authority vouched for at the time of signing. */
export interface KeylessSigner {
  readonly type: "sigstore";
  readonly name: string;
  readonly identity: IdentityMatch;
  /** Exact. */
  readonly issuer: string;
  readonly root: TrustRoot;
}

/** Whoever signs `.signatures.json` as `opa sign` does. */
export interface OpaSigner {
  readonly type: "opa";
  readonly name: string;
  readonly keyid: string;
  /** A public key, or the shared secret of an HS algorithm. */
  readonly key: KeyObject;
  readonly algorithm: OpaAlgorithm;
  /** What the signature's scope must be; `undefined`: it must have none. */
  readonly scope: string | undefined;
}

/** Who did vouch for a bundle, for people and records. */
export type VerifiedSigner =
  | {
      readonly type: "cosign-key";
      readonly name: string;
      /** `sha256:` of the public key in DER. */
      readonly fingerprint: string;
    }
  | {
      readonly type: "sigstore";
      readonly name: string;
      readonly identity: string;
      readonly issuer: string;
    }
  | {
      readonly type: "opa";
      readonly name: string;
      readonly keyid: string;
      readonly scope: string | undefined;
    };

export type VerificationFailure =
  /** Nothing was found that could be a signature. */
  | "unsigned"
  /** Signatures were found, and none is by anybody who is trusted. */
  | "no_trusted_signature"
  /** A trusted signature for other content. */
  | "subject_mismatch"
  /** A good certificate for somebody else. */
  | "identity_mismatch"
  /** The certificate was not valid when it was used. */
  | "expired"
  /** The certificate comes from an authority that is not in the trust root. */
  | "untrusted_root";

/** What one signature is to one signer. */
export type Judgement =
  | { readonly ok: true; readonly signer: VerifiedSigner }
  | { readonly ok: false; readonly code: VerificationFailure; readonly reason: string };

/** One attempt that did not verify. */
export interface Tried {
  /** What was looked at and for whom: `referrer sha256:… as release`. */
  readonly kind: string;
  readonly code: VerificationFailure;
  readonly reason: string;
}

/** A manifest that proved something about another one; worth keeping next to it. */
export interface Proof {
  readonly subject: Digest;
  readonly manifest: Descriptor;
}

export type Verification =
  | {
      readonly kind: "verified";
      readonly signers: readonly VerifiedSigner[];
      /** Empty where the bundle carries its proof itself (OPA). */
      readonly proofs: readonly Proof[];
    }
  | {
      readonly kind: "failed";
      readonly code: VerificationFailure;
      readonly tried: readonly Tried[];
    };

/** A signature that does not count, and why. */
export function refused(code: VerificationFailure, reason: string): Judgement {
  return { ok: false, code, reason };
}
