/**
 * The signature algorithms of tokens, and verification by one of them. Each takes keys of its own
 * kind only: a public key is never a shared secret.
 */
import { constants, createHmac, timingSafeEqual, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";

export interface Algorithm {
  readonly family: "hmac" | "rsa" | "pss" | "ec" | "eddsa";
  readonly digest: "sha256" | "sha384" | "sha512";
  readonly digestBytes: number;
}

export interface SignedBytes {
  readonly signed: Buffer;
  readonly signature: Buffer;
  /** Whether RSA-PSS takes a salt of another length than the digest's. */
  readonly anySalt?: boolean;
}

const sha256 = { digest: "sha256", digestBytes: 32 } as const;
const sha384 = { digest: "sha384", digestBytes: 48 } as const;
const sha512 = { digest: "sha512", digestBytes: 64 } as const;

/** By the name that a header gives. */
export const algorithms: Readonly<Record<string, Algorithm>> = {
  HS256: { family: "hmac", ...sha256 },
  HS384: { family: "hmac", ...sha384 },
  HS512: { family: "hmac", ...sha512 },
  RS256: { family: "rsa", ...sha256 },
  RS384: { family: "rsa", ...sha384 },
  RS512: { family: "rsa", ...sha512 },
  PS256: { family: "pss", ...sha256 },
  PS384: { family: "pss", ...sha384 },
  PS512: { family: "pss", ...sha512 },
  ES256: { family: "ec", ...sha256 },
  ES384: { family: "ec", ...sha384 },
  ES512: { family: "ec", ...sha512 },
  EdDSA: { family: "eddsa", ...sha512 },
};

/** Bytes of a coordinate, by Node's names of curves. */
export const coordinateBytes: Readonly<Record<string, number>> = {
  prime256v1: 32,
  secp384r1: 48,
  secp521r1: 66,
};
/** Go refuses shorter keys. */
const minimumRsaBits = 1024;

/** The algorithm of a name; undefined for a name that is none, and for `none`. */
export function algorithmOf(name: string): Algorithm | undefined {
  return Object.hasOwn(algorithms, name) ? algorithms[name] : undefined;
}

/** Whether a signature is the key's, under the rules of the algorithm's family. */
export function isSigned(
  algorithm: Algorithm,
  key: KeyObject,
  { signed, signature, anySalt = false }: SignedBytes,
): boolean {
  switch (algorithm.family) {
    case "hmac":
      return key.type === "secret" && isMac(hmacOf(algorithm, key, signed), signature);
    case "rsa":
      return isStrongRsa(key) && verify(algorithm.digest, signed, key, signature);
    case "pss": {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      const saltLength = anySalt ? constants.RSA_PSS_SALTLEN_AUTO : algorithm.digestBytes;
      return (
        isStrongRsa(key) &&
        verify(algorithm.digest, signed, { key, padding, saltLength }, signature)
      );
    }
    case "ec":
      return (
        key.asymmetricKeyType === "ec" &&
        verify(algorithm.digest, signed, { key, dsaEncoding: "ieee-p1363" }, signature)
      );
    case "eddsa":
      return key.asymmetricKeyType === "ed25519" && verify(null, signed, key, signature);
  }
}

/** The code that a secret makes. */
export function hmacOf({ digest }: Algorithm, key: KeyObject | string, signed: Buffer): Buffer {
  return createHmac(digest, key).update(signed).digest();
}

/** Compares in a time that depends on the length only. */
export function isMac(expected: Buffer, found: Buffer): boolean {
  return expected.length === found.length && timingSafeEqual(expected, found);
}

/** True for an RSA key that is long enough. */
export function isStrongRsa({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  return asymmetricKeyType === "rsa" && bits >= minimumRsaBits;
}
