/**
 * Everything that can go wrong between a reference and an opened bundle. Messages name the
 * reference, what was expected and what to do; they never hold credentials, nor text that a
 * registry chose beyond its error codes.
 */
import { GatewayError } from "../errors.ts";

/** One code for each kind of failure; `docs/errors.md` says what to do about each. */
export type BundleErrorCode =
  /** The reference does not follow its grammar, or names a source where it may not be used. */
  | "bundle_reference_invalid"
  /** The registry or layout answered and has no such tag, digest or repository. */
  | "bundle_not_found"
  /** The registry refused the credentials, has none, or asks for a scheme we do not speak. */
  | "bundle_unauthorized"
  /** No usable answer: connection, time-out, or a status that retries did not cure. */
  | "bundle_unreachable"
  /** The registry or layout answered with something that the OCI specifications do not allow. */
  | "bundle_protocol_invalid"
  /** Bytes, size or declared digest differ from what was asked for. */
  | "bundle_digest_mismatch"
  /** More bytes, files, layers or nesting than the gateway takes. */
  | "bundle_too_large"
  /** A redirect or upload location that would leave the registry unsafely. */
  | "bundle_redirect_refused"
  /** A token service that is neither the registry nor one that the operator named. */
  | "bundle_realm_refused"
  /** A login file, credential helper or certificate that cannot be read or run. */
  | "bundle_credentials_unusable"
  /** The artifact is no OPA bundle: Conftest, several layers, an image, an unknown type. */
  | "bundle_artifact_unsupported"
  /** The archive is broken: gzip, tar, checksums, truncated or trailing bytes. */
  | "bundle_archive_invalid"
  /** The archive holds links, devices, or names that could mean two things. */
  | "bundle_archive_unsafe"
  /** `.manifest` or `data.json` is missing something or has the wrong shape. */
  | "bundle_manifest_invalid"
  /** Neither compiled policy nor Rego sources. */
  | "bundle_without_policy"
  /** A policy without the sources that it was compiled from, where that is not accepted. */
  | "bundle_opaque"
  /** A library that the bundle requires is not in it. */
  | "bundle_library_missing"
  /** What a requirement names is another library than the one it means, or none. */
  | "bundle_library_mismatch"
  /** `policy.wasm` is not a module as OPA compiles it. */
  | "bundle_wasm_invalid"
  /** The Rego sources do not compile. */
  | "bundle_compile_failed"
  /** The bundle says that it belongs to another server or layer. */
  | "bundle_name_mismatch"
  /** The bundle says that it is another kind of layer. */
  | "bundle_kind_mismatch"
  /** Nobody who is trusted vouches for the bundle, or not as its source requires. */
  | "bundle_unverified"
  /** The bundle is older than one that the gateway has had. */
  | "bundle_downgrade"
  /** A signer's key, a trust root or a signing key cannot be used. */
  | "bundle_trust_invalid"
  /** The lock is malformed, or cannot be read. */
  | "bundle_lock_invalid"
  /** The lock cannot be written. */
  | "bundle_lock_unwritable"
  /** A release binds another bundle, or does not fit the server or its tools. */
  | "bundle_release_mismatch"
  /** The artifact or file is no release. */
  | "bundle_release_invalid"
  /** The bundle was revoked by somebody. */
  | "bundle_revoked"
  /** The tests that the bundle ships do not pass. */
  | "bundle_tests_failed"
  /** What is kept of active, held and revoked bundles cannot be read or written. */
  | "bundle_state_unusable"
  /** The cache or layout folder cannot be read or written. */
  | "bundle_storage_failed";

/** Messages are recorded and kept; whatever got into one, it stays small. */
const maxMessageLength = 4096;

/** Why a bundle could not be resolved, fetched, checked, opened or pushed. */
export class BundleError extends GatewayError<BundleErrorCode> {
  /** How long the other side asks to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: BundleErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(code, message.slice(0, maxMessageLength).toWellFormed(), options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * The usual form of a message.
 *
 * @param where - reference, file or host that the error is about
 */
export function unexpected(
  code: BundleErrorCode,
  where: string,
  expected: string,
  found: string,
  cause?: unknown,
): BundleError {
  return new BundleError(code, `${where}: expected ${expected}, found ${found}`, { cause });
}
