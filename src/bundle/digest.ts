/**
 * Digests: the only names in a registry that a registry cannot lie about. Only sha256 and sha512
 * are known; every other algorithm is refused before it reaches a URL or a path.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Digest } from "../contract/bundle.ts";
import { sha256Of } from "../contract/sha256.ts";
import { BundleError } from "./bundle-error.ts";

const sha256Pattern = /^sha256:[0-9a-f]{64}$/;
const sha512Pattern = /^sha512:[0-9a-f]{128}$/;

/** True for `sha256:<64 hex>` and `sha512:<128 hex>`, lower case only. */
export function isDigest(text: string): text is Digest {
  return sha256Pattern.test(text) || sha512Pattern.test(text);
}

/** What a digest names: `algorithm` and `hex`, both safe in a path. */
export function splitDigest(digest: Digest): {
  readonly algorithm: "sha256" | "sha512";
  readonly hex: string;
} {
  return { algorithm: digest.startsWith("sha256:") ? "sha256" : "sha512", hex: digest.slice(7) };
}

/** True when the bytes are the ones that the digest names. */
function matchesDigest(bytes: Uint8Array, digest: Digest): boolean {
  const { algorithm, hex } = splitDigest(digest);
  const found = createHash(algorithm).update(bytes).digest();
  return timingSafeEqual(found, Buffer.from(hex, "hex"));
}

/**
 * Passes bytes on only if they are the ones that the digest names.
 *
 * @param what - what the bytes are and where they came from, for the message
 * @throws BundleError `bundle_digest_mismatch`
 */
export function checkedBytes(bytes: Buffer, digest: Digest, what: string): Buffer {
  if (matchesDigest(bytes, digest)) return bytes;
  throw new BundleError(
    "bundle_digest_mismatch",
    `expected ${what} to have digest ${digest}, found ${sha256Of(bytes)}; the content was changed or swapped, so it is not used`,
  );
}
