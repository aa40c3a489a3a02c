/**
 * Private keys in PEM: `crypto.parse_private_keys` shows them as Go's structures,
 * `crypto.x509.parse_rsa_private_key` as a JWK. Node reads the keys; what it refuses is an error.
 */
import { createPrivateKey } from "node:crypto";
import type { JsonWebKey, KeyObject } from "node:crypto";
import type { BuiltinGroup } from "../builtin.ts";
import { ofTexts } from "../operands.ts";
import { exactJsonText } from "./exact-json.ts";
import type { ExactJson } from "./exact-json.ts";
import { decodeBase64, expectBase64, isPem, readPem } from "./pem.ts";
import type { PemBlock } from "./pem.ts";
import { undefinedOnError } from "./undefined-on-error.ts";

export const privateKeyBuiltins: BuiltinGroup = {
  "crypto.parse_private_keys": undefinedOnError(
    ofTexts((text: string) => {
      if (text === "") return "null";
      const pem = decodeBase64(text)?.toString("utf8") ?? text;
      return exactJsonText(readKeys(pem).map(privateKeyJson));
    }),
  ),
  "crypto.x509.parse_rsa_private_key": undefinedOnError(
    ofTexts((text: string) => {
      if (text === "") return undefined;
      const pem = isPem(text) ? text : expectBase64(text).toString("utf8");
      const [key] = readKeys(pem);
      return key === undefined ? "null" : JSON.stringify(key.export({ format: "jwk" }));
    }),
  ),
};

/** A private key as Go's structure of its kind. */
export function privateKeyJson(key: KeyObject): ExactJson {
  const jwk = key.export({ format: "jwk" });
  switch (key.asymmetricKeyType) {
    case "rsa":
      return rsaJson(jwk);
    case "ec":
      return { Curve: {}, X: numberOf(jwk.x), Y: numberOf(jwk.y), D: numberOf(jwk.d) };
    case "ed25519":
      return Buffer.concat([bytesOf(jwk.d), bytesOf(jwk.x)]).toString("base64");
    default:
      return {};
  }
}

/** The key of a block; undefined for a block of another kind. */
export function readPrivateKey({ type, bytes }: PemBlock): KeyObject | undefined {
  switch (type) {
    case "RSA PRIVATE KEY":
      return createPrivateKey({ key: bytes, format: "der", type: "pkcs1" });
    case "PRIVATE KEY":
      return createPrivateKey({ key: bytes, format: "der", type: "pkcs8" });
    case "EC PRIVATE KEY":
      return createPrivateKey({ key: bytes, format: "der", type: "sec1" });
    default:
      return undefined;
  }
}

function readKeys(pem: string): readonly KeyObject[] {
  return readPem(pem).blocks.flatMap((block) => readPrivateKey(block) ?? []);
}

function rsaJson({ n, e, d, p, q, dp, dq, qi }: JsonWebKey): ExactJson {
  return {
    N: numberOf(n),
    E: numberOf(e),
    D: numberOf(d),
    Primes: [numberOf(p), numberOf(q)],
    Precomputed: { Dp: numberOf(dp), Dq: numberOf(dq), Qinv: numberOf(qi), CRTValues: [] },
  };
}

function numberOf(base64Url: string | undefined): bigint {
  return BigInt(`0x0${bytesOf(base64Url).toString("hex")}`);
}

function bytesOf(base64Url: string | undefined): Buffer {
  return Buffer.from(base64Url ?? "", "base64url");
}
