/**
 * `io.jwt.encode_sign` and `io.jwt.encode_sign_raw`. The same decision signs the same token again,
 * so that a replay sees what was seen: nothing is drawn at random that the seed does not give.
 */
import { sign } from "node:crypto";
import { isRecord } from "../../../../contract/json.ts";
import type { Builtin } from "../builtin.ts";
import { textOf } from "../operands.ts";
import { writeText } from "../values.ts";
import { algorithmOf, hmacOf, isStrongRsa } from "./algorithms.ts";
import { signEcdsa } from "./deterministic-ecdsa.ts";
import { signPss } from "./deterministic-pss.ts";
import { marshalGoJson } from "../go-json.ts";
import { readJwks } from "./verification-keys.ts";
import type { TokenKey } from "./verification-keys.ts";

interface Unsigned {
  /** JSON text. */
  readonly header: string;
  readonly payload: string;
  /** A JWK or a set of them, of which the first signs. */
  readonly keys: string;
}

/** Header, payload and key as values. */
export const encodeSign: Builtin = ([header, payload, keys], { seed }) => {
  if (header === undefined || payload === undefined || keys === undefined) return undefined;
  const texts = {
    header: marshalGoJson(header),
    payload: marshalGoJson(payload),
    keys: marshalGoJson(keys),
  };
  return writeText(signToken(texts, seed));
};

/** Header, payload and key as JSON texts, which are signed as they are. */
export const encodeSignRaw: Builtin = (operands, { seed }) => {
  const [header, payload, keys] = operands.map(textOf);
  if (header === undefined || payload === undefined || keys === undefined) return undefined;
  return writeText(signToken({ header, payload, keys }, seed));
};

/** @throws For a header, payload or key that cannot be used, or do not fit each other. */
function signToken({ header, payload, keys }: Unsigned, seed: string): string {
  const [key] = readJwks(keys);
  const fields: unknown = JSON.parse(header);
  if (key === undefined || !isRecord(fields)) throw new Error("expected a key and a header");
  const { alg, typ } = fields;
  if (typeof alg !== "string") throw new Error("expected an algorithm, found none");
  // A token that does not say that it is something else is one of claims.
  if (typeof typ !== "string" || typ === "JWT") JSON.parse(payload);
  const signed = Buffer.from(`${base64Url(header)}.${base64Url(payload)}`);
  const signature = signatureOf(alg, key, { signed, seed });
  return `${signed.toString()}.${signature.toString("base64url")}`;
}

function signatureOf(
  alg: string,
  { key }: TokenKey,
  { signed, seed }: { signed: Buffer; seed: string },
): Buffer {
  const algorithm = algorithmOf(alg);
  const isSecret = key.type === "secret";
  switch (isSecret || key.type === "private" ? algorithm?.family : undefined) {
    case "hmac":
      if (algorithm === undefined || !isSecret || key.symmetricKeySize === 0) throw unfit(alg);
      return hmacOf(algorithm, key, signed);
    case "rsa":
      if (!isStrongRsa(key)) throw unfit(alg);
      return sign(algorithm?.digest, signed, key);
    case "pss":
      if (algorithm === undefined || !isStrongRsa(key)) throw unfit(alg);
      return signPss(algorithm, key, signed, seed);
    case "ec":
      if (algorithm === undefined || key.asymmetricKeyType !== "ec") throw unfit(alg);
      return signEcdsa(algorithm, key, signed, seed);
    case "eddsa":
      if (key.asymmetricKeyType !== "ed25519") throw unfit(alg);
      return sign(null, signed, key);
    case undefined:
      throw unfit(alg);
  }
}

function base64Url(text: string): string {
  return Buffer.from(text).toString("base64url");
}

function unfit(alg: string): Error {
  return new Error(`expected a key that signs ${alg}, found another`);
}
