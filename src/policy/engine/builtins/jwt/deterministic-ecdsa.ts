/**
 * ECDSA signatures that a replay makes again: what would be drawn at random comes from the key, the
 * message and the decision's seed, in the way of RFC 6979, section 3.6. Nobody learns it from the
 * seed, since the private key goes into it. The curve's own arithmetic is Node's; the two operations
 * that are left are blinded, so that their time says nothing of the key.
 */
import { createECDH, createHash, createHmac, randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { coordinateBytes } from "./algorithms.ts";
import type { Algorithm } from "./algorithms.ts";

const orders: Readonly<Record<string, bigint>> = {
  prime256v1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp384r1:
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  secp521r1:
    0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
};

/** The signature as two coordinates, one after the other. */
export function signEcdsa(
  algorithm: Algorithm,
  key: KeyObject,
  signed: Buffer,
  seed: string,
): Buffer {
  const curve = key.asymmetricKeyDetails?.namedCurve ?? "";
  const [order, size] = [orders[curve], coordinateBytes[curve]];
  if (order === undefined || size === undefined) throw new Error("expected a known curve");
  const secret = Buffer.from(key.export({ format: "jwk" }).d ?? "", "base64url");
  const digest = createHash(algorithm.digest).update(signed).digest();
  for (let attempt = 0; ; attempt += 1) {
    const nonce = drawNonce(secret, { digest, seed, attempt }, order);
    const ecdh = createECDH(curve);
    ecdh.setPrivateKey(bytesOf(nonce, size));
    const r = numberOf(ecdh.getPublicKey().subarray(1, 1 + size)) % order;
    const s = scalar({ nonce, r, secret: numberOf(secret), digest, order });
    if (r !== 0n && s !== 0n) return Buffer.concat([bytesOf(r, size), bytesOf(s, size)]);
  }
}

/** Twice as many bits as the order has, so that the remainder favours nothing. */
function drawNonce(
  secret: Buffer,
  from: { digest: Buffer; seed: string; attempt: number },
  order: bigint,
): bigint {
  const halves = [0, 1, 2].map((part) =>
    createHmac("sha512", secret)
      .update(`${from.attempt}/${part}/${from.seed.length}/${from.seed}/`)
      .update(from.digest)
      .digest(),
  );
  return (numberOf(Buffer.concat(halves)) % (order - 1n)) + 1n;
}

/** `(z + r·secret) / nonce`, with both sides of the fraction times a random number. */
function scalar(of: {
  nonce: bigint;
  r: bigint;
  secret: bigint;
  digest: Buffer;
  order: bigint;
}): bigint {
  const { nonce, r, secret, digest, order } = of;
  const orderBits = order.toString(2).length;
  const z = numberOf(digest) >> BigInt(Math.max(digest.length * 8 - orderBits, 0));
  const blind = (numberOf(randomBytes(80)) % (order - 1n)) + 1n;
  const blindedSum = (blind * z + ((blind * r) % order) * secret) % order;
  return (blindedSum * inverse((blind * nonce) % order, order)) % order;
}

function inverse(number: bigint, modulus: bigint): bigint {
  let [rest, next] = [modulus, number];
  let [before, factor] = [0n, 1n];
  while (next !== 0n) {
    const quotient = rest / next;
    [rest, next] = [next, rest - quotient * next];
    [before, factor] = [factor, before - quotient * factor];
  }
  return ((before % modulus) + modulus) % modulus;
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x0${bytes.toString("hex")}`);
}

function bytesOf(number: bigint, size: number): Buffer {
  return Buffer.from(number.toString(16).padStart(size * 2, "0"), "hex");
}
