/**
 * Public keys of certificates, as Go shows them in JSON, and the numbers by which Go names
 * algorithms.
 */
import { createPublicKey } from "node:crypto";
import { bitsOf, derTag, identifierOf, integerOf, readDer, readInside } from "./der.ts";
import type { DerValue } from "./der.ts";
import type { ExactJson } from "./exact-json.ts";

export interface PublicKeyFields {
  /** Go's `x509.PublicKeyAlgorithm`. */
  readonly algorithm: number;
  readonly json: ExactJson;
}

/** Go's `x509.SignatureAlgorithm`, and how Node names its digest; without one it is not verified. */
export interface SignatureAlgorithm {
  readonly number: number;
  readonly digest?: string;
  readonly key?: "rsa" | "ec" | "ed25519";
  /** Bytes of salt; only RSA-PSS has one. */
  readonly saltBytes?: number;
}

export const publicKeyAlgorithm = { unknown: 0, rsa: 1, dsa: 2, ecdsa: 3, ed25519: 4 } as const;
/** Bytes of a coordinate by curve. */
const curves: Readonly<Record<string, number>> = {
  "1.3.132.0.33": 28,
  "1.2.840.10045.3.1.7": 32,
  "1.3.132.0.34": 48,
  "1.3.132.0.35": 66,
};
const pss = "1.2.840.113549.1.1.10";
const pssByParameters: Readonly<Record<string, SignatureAlgorithm>> = {
  "2.16.840.1.101.3.4.2.1/32": { number: 13, digest: "sha256", key: "rsa", saltBytes: 32 },
  "2.16.840.1.101.3.4.2.2/48": { number: 14, digest: "sha384", key: "rsa", saltBytes: 48 },
  "2.16.840.1.101.3.4.2.3/64": { number: 15, digest: "sha512", key: "rsa", saltBytes: 64 },
};
const signatureAlgorithms: Readonly<Record<string, SignatureAlgorithm>> = {
  "1.2.840.113549.1.1.4": { number: 2 },
  "1.2.840.113549.1.1.5": { number: 3 },
  "1.3.14.3.2.29": { number: 3 },
  "1.2.840.113549.1.1.11": { number: 4, digest: "sha256", key: "rsa" },
  "1.2.840.113549.1.1.12": { number: 5, digest: "sha384", key: "rsa" },
  "1.2.840.113549.1.1.13": { number: 6, digest: "sha512", key: "rsa" },
  "1.2.840.10040.4.3": { number: 7 },
  "2.16.840.1.101.3.4.3.2": { number: 8 },
  "1.2.840.10045.4.1": { number: 9 },
  "1.2.840.10045.4.3.2": { number: 10, digest: "sha256", key: "ec" },
  "1.2.840.10045.4.3.3": { number: 11, digest: "sha384", key: "ec" },
  "1.2.840.10045.4.3.4": { number: 12, digest: "sha512", key: "ec" },
};

/** The key in a `SubjectPublicKeyInfo`. */
export function readPublicKey(info: DerValue): PublicKeyFields {
  const reader = readInside(info);
  const algorithm = readInside(reader.next(derTag.sequence));
  const type = identifierOf(algorithm.next(derTag.objectIdentifier));
  const parameters = algorithm.isEmpty() ? undefined : algorithm.next();
  const { bytes } = bitsOf(reader.next(derTag.bitString));
  switch (type) {
    case "1.2.840.113549.1.1.1":
      return { algorithm: publicKeyAlgorithm.rsa, json: readRsa(bytes, parameters) };
    case "1.2.840.10040.4.1":
      return { algorithm: publicKeyAlgorithm.dsa, json: readDsa(bytes, parameters) };
    case "1.2.840.10045.2.1":
      return { algorithm: publicKeyAlgorithm.ecdsa, json: readEc(info, bytes, parameters) };
    case "1.3.101.112":
      if (bytes.length !== 32 || parameters !== undefined) throw invalidKey();
      return { algorithm: publicKeyAlgorithm.ed25519, json: bytes.toString("base64") };
    default:
      return { algorithm: publicKeyAlgorithm.unknown, json: null };
  }
}

/** The algorithm that an `AlgorithmIdentifier` names. */
export function readSignatureAlgorithm(identifier: DerValue): SignatureAlgorithm {
  const reader = readInside(identifier);
  const type = identifierOf(reader.next(derTag.objectIdentifier));
  if (type === "1.3.101.112") return reader.isEmpty() ? { number: 16, key: "ed25519" } : unknown;
  if (type !== pss) return signatureAlgorithms[type] ?? unknown;
  try {
    return readPss(reader.next(derTag.sequence));
  } catch {
    return unknown;
  }
}

const unknown: SignatureAlgorithm = { number: 0 };

/** One of three: digest and mask with the same function, a salt as long as its digests. */
function readPss(parameters: DerValue): SignatureAlgorithm {
  const reader = readInside(parameters);
  const digest = readInside(readInside(reader.next(0xa0)).next(derTag.sequence));
  const mask = readInside(readInside(reader.next(0xa1)).next(derTag.sequence));
  const digestType = identifierOf(digest.next(derTag.objectIdentifier));
  mask.next(derTag.objectIdentifier);
  const maskType = identifierOf(
    readInside(mask.next(derTag.sequence)).next(derTag.objectIdentifier),
  );
  const saltBytes = integerOf(readInside(reader.next(0xa2)).next(derTag.integer));
  if (digestType !== maskType) return unknown;
  return pssByParameters[`${digestType}/${saltBytes}`] ?? unknown;
}

function readRsa(bytes: Buffer, parameters: DerValue | undefined): ExactJson {
  if (parameters?.raw.toString("hex") !== "0500") throw invalidKey();
  const reader = readInside(readDer(bytes).next(derTag.sequence));
  const [modulus, exponent] = [reader, reader].map((key) => integerOf(key.next(derTag.integer)));
  if (modulus === undefined || exponent === undefined) throw invalidKey();
  if (modulus <= 0n || exponent <= 0n) throw invalidKey();
  return { N: modulus, E: exponent };
}

function readDsa(bytes: Buffer, parameters: DerValue | undefined): ExactJson {
  if (parameters?.tag !== derTag.sequence) throw invalidKey();
  const reader = readInside(parameters);
  const [p = 0n, q = 0n, g = 0n] = [reader, reader, reader].map((key) =>
    integerOf(key.next(derTag.integer)),
  );
  const y = integerOf(readDer(bytes).next(derTag.integer));
  if ([p, q, g, y].some((number) => number <= 0n)) throw invalidKey();
  return { P: p, Q: q, G: g, Y: y };
}

/** An uncompressed point; Node refuses one that is not on its curve. */
function readEc(info: DerValue, point: Buffer, parameters: DerValue | undefined): ExactJson {
  if (parameters?.tag !== derTag.objectIdentifier) throw invalidKey();
  const size = curves[identifierOf(parameters)];
  if (size === undefined || point.length !== 1 + 2 * size || point[0] !== 4) throw invalidKey();
  createPublicKey({ key: info.raw, format: "der", type: "spki" });
  const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)];
  return { Curve: {}, X: BigInt(`0x${x.toString("hex")}`), Y: BigInt(`0x${y.toString("hex")}`) };
}

function invalidKey(): Error {
  return new Error("expected a public key, found other values");
}
