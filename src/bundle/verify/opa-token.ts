/**
 * The one JSON web signature in `.signatures.json`. Which algorithm it is made with is said by the
 * configuration, never by the token: its header has to agree.
 */
import type { KeyObject, SignKeyObjectInput } from "node:crypto";
import { constants, createHmac, sign, timingSafeEqual, verify } from "node:crypto";
import * as z from "zod";
import type { OpaAlgorithm } from "../../config/config.ts";
import { parseJson } from "../parse-json.ts";
import { decodeBase64Url } from "./base64.ts";

const headerSchema = z.object({ alg: z.string(), crit: z.unknown().optional() });
const curveOf: Readonly<Record<string, string>> = {
  ES256: "prime256v1",
  ES384: "secp384r1",
  ES512: "secp521r1",
};

/** The payload of a token that was signed by a key, or why it is not taken. */
export type TokenRead =
  | { readonly ok: true; readonly payload: Buffer }
  | { readonly ok: false; readonly reason: string };

/** Reads and verifies a compact token (RFC 7515 §3.1). */
export function readToken(token: string, algorithm: OpaAlgorithm, key: KeyObject): TokenRead {
  const [header = "", payload = "", signature = "", ...rest] = token.split(".", 4);
  const bytes = [header, payload, signature].map(decodeBase64Url);
  const [headerBytes, payloadBytes, signatureBytes] = bytes;
  if (rest.length > 0 || !headerBytes || !payloadBytes || !signatureBytes) {
    return { ok: false, reason: "its token is no compact JSON web signature" };
  }
  const parsed = headerSchema.safeParse(parseJson(headerBytes));
  if (!parsed.success || parsed.data.alg !== algorithm || parsed.data.crit !== undefined) {
    return { ok: false, reason: `its token is not signed with ${algorithm}, as is configured` };
  }
  const content = Buffer.from(`${header}.${payload}`);
  if (isSigned(content, signatureBytes, algorithm, key)) return { ok: true, payload: payloadBytes };
  return { ok: false, reason: "its token is not signed by this key" };
}

/** Makes a compact token. */
export function writeToken(
  payload: object,
  keyid: string,
  algorithm: OpaAlgorithm,
  key: KeyObject,
): string {
  const header = { alg: algorithm, kid: keyid, typ: "JWT" };
  const content = [header, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  const hash = hashOf(algorithm);
  const signature = algorithm.startsWith("HS")
    ? createHmac(hash, key).update(content).digest()
    : sign(hash, Buffer.from(content), signatureInput(algorithm, key));
  return `${content}.${signature.toString("base64url")}`;
}

/** Why a key does not go with an algorithm; `undefined` where it does. */
export function keyProblem(algorithm: OpaAlgorithm, key: KeyObject): string | undefined {
  const type = key.type === "secret" ? "secret" : key.asymmetricKeyType;
  if (algorithm.startsWith("HS")) return type === "secret" ? undefined : "a shared secret";
  if (!algorithm.startsWith("ES")) return type === "rsa" ? undefined : "an RSA key";
  const curve = curveOf[algorithm];
  const isRight = type === "ec" && key.asymmetricKeyDetails?.namedCurve === curve;
  return isRight ? undefined : `a key on the curve ${curve ?? ""}`;
}

function isSigned(
  content: Buffer,
  signature: Buffer,
  algorithm: OpaAlgorithm,
  key: KeyObject,
): boolean {
  const hash = hashOf(algorithm);
  if (!algorithm.startsWith("HS")) {
    return verify(hash, content, signatureInput(algorithm, key), signature);
  }
  const expected = createHmac(hash, key).update(content).digest();
  return expected.length === signature.length && timingSafeEqual(expected, signature);
}

function signatureInput(algorithm: OpaAlgorithm, key: KeyObject): SignKeyObjectInput {
  if (algorithm.startsWith("ES")) return { key, dsaEncoding: "ieee-p1363" };
  if (algorithm.startsWith("RS")) return { key, padding: constants.RSA_PKCS1_PADDING };
  const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
}

function hashOf(algorithm: OpaAlgorithm): string {
  return `sha${algorithm.slice(2)}`;
}
