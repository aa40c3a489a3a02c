/**
 * Keys as the builtins take them: a certificate or a public key in PEM, one JWK, or a set of them.
 * What is none of these, or a set with one wrong key, throws.
 */
import { createPrivateKey, createPublicKey, createSecretKey } from "node:crypto";
import type { JsonWebKey, KeyObject } from "node:crypto";
import { isRecord } from "../../../../contract/json.ts";
import { readPem } from "../crypto/pem.ts";
import { readCertificates } from "../crypto/x509-certificate.ts";
import { algorithms } from "./algorithms.ts";

export interface TokenKey {
  readonly key: KeyObject;
  /** Empty where the key does not say. */
  readonly alg: string;
  readonly kid: string;
}

type KeyMembers = Readonly<Record<string, unknown>>;

/** Members without which a JWK of a type is none. */
const required: Readonly<Record<string, readonly string[]>> = {
  RSA: ["n", "e"],
  EC: ["crv", "x", "y"],
  OKP: ["crv", "x"],
  oct: ["k"],
};
const curves: readonly unknown[] = ["P-256", "P-384", "P-521", "Ed25519", "X25519"];

/** The keys that may verify; those for algorithms that no builtin has are left out. */
export function readVerificationKeys(text: string): readonly TokenKey[] {
  const { blocks, rest } = readPem(text);
  const [block] = blocks;
  if (block === undefined) {
    return readJwks(text).filter(({ alg }) => alg === "" || Object.hasOwn(algorithms, alg));
  }
  if (blocks.length > 1 || rest !== "") throw invalidKeys();
  return [{ key: readBlock(block.type, block.bytes), alg: "", kid: "" }];
}

/** The keys of a JWK or a set of JWKs. */
export function readJwks(text: string): readonly TokenKey[] {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw invalidKeys();
  const { keys } = value;
  if (keys === undefined) return [readJwk(value)];
  if (!Array.isArray(keys)) throw invalidKeys();
  return keys.map((key: unknown) => {
    if (!isRecord(key)) throw invalidKeys();
    return readJwk(key);
  });
}

function readBlock(type: string, bytes: Buffer): KeyObject {
  if (type === "PUBLIC KEY") return createPublicKey({ key: bytes, format: "der", type: "spki" });
  if (type !== "CERTIFICATE") throw invalidKeys();
  const certificates = readCertificates(bytes);
  const [certificate] = certificates;
  if (certificate === undefined || certificates.length > 1) throw invalidKeys();
  return createPublicKey({ key: certificate.rawPublicKey, format: "der", type: "spki" });
}

function readJwk(members: KeyMembers): TokenKey {
  const [alg, kid] = [textMember(members, "alg"), textMember(members, "kid")];
  const type = textMember(members, "kty");
  const names = Object.hasOwn(required, type) ? required[type] : undefined;
  if (names === undefined) throw invalidKeys();
  const jwk = jwkOf(members, type);
  if (names.some((name) => jwk[name] === undefined)) throw invalidKeys();
  if (jwk.crv !== undefined && !curves.includes(jwk.crv)) throw invalidKeys();
  return { key: keyOf(jwk), alg, kid };
}

/** Only the members that make the key; each of them text. */
function jwkOf(members: KeyMembers, kty: string): JsonWebKey {
  const names = ["n", "e", "d", "p", "q", "dp", "dq", "qi", "crv", "x", "y", "k"];
  const present = names.filter((name) => members[name] !== undefined);
  return { kty, ...Object.fromEntries(present.map((name) => [name, textMember(members, name)])) };
}

function keyOf(jwk: JsonWebKey): KeyObject {
  if (jwk.kty === "oct") return createSecretKey(Buffer.from(jwk.k ?? "", "base64url"));
  const input = { key: jwk, format: "jwk" } as const;
  return jwk.d === undefined ? createPublicKey(input) : createPrivateKey(input);
}

function textMember(members: KeyMembers, name: string): string {
  const value = members[name] ?? "";
  if (typeof value !== "string") throw invalidKeys();
  return value;
}

function invalidKeys(): Error {
  return new Error("expected a certificate, a public key or a jwk, found other text");
}
