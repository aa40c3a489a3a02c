/**
 * Keys of signers: which kinds are taken, and what a signature by each is. A private key where a
 * public one belongs is refused, so that nobody's secret ends up in a configuration.
 */
import type { KeyObject } from "node:crypto";
import { createHash, createPublicKey, verify } from "node:crypto";
import { BundleError } from "../bundle-error.ts";

const minRsaBits = 2048;
/** The hash that goes with a curve; tools use it, or sha256 for every curve. */
const hashOfCurve: Readonly<Record<string, string>> = {
  prime256v1: "sha256",
  secp384r1: "sha384",
  secp521r1: "sha512",
};

/**
 * Reads a public key, or the one in a certificate, in PEM.
 *
 * @param where - setting or option for messages
 * @throws BundleError `bundle_trust_invalid`
 */
export function openPublicKey(pem: string, where: string): KeyObject {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw invalid(where, "a private key; the signer keeps it, the public one belongs here");
  }
  const key = readKey(pem, where);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === "ed25519") return key;
  if (type === "ec" && hashOfCurve[details?.namedCurve ?? ""] !== undefined) return key;
  if (type === "rsa" && (details?.modulusLength ?? 0) >= minRsaBits) return key;
  throw invalid(where, `another kind (${type ?? "none"}, too short or on an unknown curve)`);
}

/** True where a signature over some content is by the holder of the key. */
export function isSignedBy(key: KeyObject, content: Uint8Array, signature: Uint8Array): boolean {
  if (key.asymmetricKeyType === "ed25519") return verify(null, content, key, signature);
  if (key.asymmetricKeyType === "rsa") return verify("sha256", content, key, signature);
  const ofCurve = hashOfCurve[key.asymmetricKeyDetails?.namedCurve ?? ""] ?? "sha256";
  return [...new Set(["sha256", ofCurve])].some((hash) => verify(hash, content, key, signature));
}

/** `sha256:` of the key in DER: how people compare keys. */
export function fingerprintOf(key: KeyObject): string {
  return `sha256:${createHash("sha256").update(derOf(key)).digest("hex")}`;
}

/** How sigstore bundles name a key: the same hash in base64. */
export function keyHintOf(key: KeyObject): string {
  return createHash("sha256").update(derOf(key)).digest("base64");
}

function derOf(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" });
}

function readKey(pem: string, where: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (thrown) {
    throw invalid(where, "something that is no PEM key", thrown);
  }
}

function invalid(where: string, found: string, cause?: unknown): BundleError {
  const expected = "a public key in PEM (ECDSA P-256, P-384 or P-521, Ed25519, RSA of 2048 bits)";
  return new BundleError("bundle_trust_invalid", `${where}: expected ${expected}, found ${found}`, {
    cause,
  });
}
