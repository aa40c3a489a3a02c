/**
 * A private key that signs bundles: ECDSA P-256, Ed25519 or RSA in PEM, also encrypted, as PKCS #8
 * or as cosign does.
 */
import type { KeyObject } from "node:crypto";
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { BundleError } from "../bundle-error.ts";
import { isCosignKey, openCosignKey } from "./cosign-key-file.ts";

/** Signs as cosign would with the same key. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Ed25519 and RSA give the same signature each time, ECDSA another. */
  readonly sign: (content: Uint8Array) => Buffer;
}

const minRsaBits = 2048;

/**
 * Opens a signing key.
 *
 * @param where - option for messages; the key is in none
 * @throws BundleError `bundle_trust_invalid`
 */
export function openSigningKey(
  pem: string,
  passphrase: string | undefined,
  where: string,
): SigningKey {
  const privateKey = openPrivateKey(pem, passphrase, where);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = privateKey;
  const isTaken =
    type === "ed25519" ||
    (type === "ec" && details?.namedCurve === "prime256v1") ||
    (type === "rsa" && (details?.modulusLength ?? 0) >= minRsaBits);
  if (!isTaken) throw invalid(where, `another kind of key (${type ?? "none"})`);
  const hash = type === "ed25519" ? null : "sha256";
  return {
    privateKey,
    publicKey: createPublicKey(privateKey),
    sign: (content) => sign(hash, content, privateKey),
  };
}

/**
 * Reads any private key in PEM; which kinds are good for what is left to the caller.
 *
 * @throws BundleError `bundle_trust_invalid`
 */
export function openPrivateKey(
  pem: string,
  passphrase: string | undefined,
  where: string,
): KeyObject {
  const closed = "one that the password in COSIGN_PASSWORD does not open";
  try {
    if (!isCosignKey(pem)) {
      return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
    }
    const der = openCosignKey(pem, passphrase ?? "");
    if (der !== undefined) return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  } catch (thrown) {
    throw invalid(where, pem.includes("ENCRYPTED") ? closed : "something that is none", thrown);
  }
  throw invalid(where, closed);
}

function invalid(where: string, found: string, cause?: unknown): BundleError {
  const expected = "a private key in PEM (ECDSA P-256, Ed25519, RSA of 2048 bits)";
  return new BundleError("bundle_trust_invalid", `${where}: expected ${expected}, found ${found}`, {
    cause,
  });
}
