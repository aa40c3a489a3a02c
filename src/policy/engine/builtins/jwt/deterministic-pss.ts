/**
 * RSA-PSS signatures that a replay makes again: the salt comes from the message and the decision's
 * seed. A salt is no secret, so the seed may be known. The encoding is that of RFC 8017, section
 * 9.1.1; the private operation is Node's.
 */
import { constants, createHash, privateEncrypt } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { Algorithm } from "./algorithms.ts";

const trailer = 0xbc;

/** The signature; as long as the modulus. */
export function signPss(
  algorithm: Algorithm,
  key: KeyObject,
  signed: Buffer,
  seed: string,
): Buffer {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  const encoded = encode(algorithm, { signed, seed, bits: bits - 1 });
  const block = Buffer.concat([Buffer.alloc(Math.ceil(bits / 8) - encoded.length), encoded]);
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, block);
}

function encode(
  { digest, digestBytes }: Algorithm,
  from: { signed: Buffer; seed: string; bits: number },
): Buffer {
  const length = Math.ceil(from.bits / 8);
  const hash = createHash(digest).update(from.signed).digest();
  const salt = createHash(digest).update(`salt/${from.seed}/`).update(hash).digest();
  const masking = createHash(digest).update(Buffer.alloc(8)).update(hash).update(salt).digest();
  const padding = Buffer.alloc(length - digestBytes * 2 - 2);
  const data = Buffer.concat([padding, Buffer.of(1), salt]);
  const mask = maskOf(digest, masking, data.length);
  const masked = data.map((byte, index) => byte ^ (mask[index] ?? 0));
  masked[0] = (masked[0] ?? 0) & (0xff >> (length * 8 - from.bits));
  return Buffer.concat([masked, masking, Buffer.of(trailer)]);
}

/** RFC 8017, appendix B.2.1. */
function maskOf(digest: string, seed: Buffer, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let counter = 0; Buffer.concat(parts).length < length; counter += 1) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(counter);
    parts.push(createHash(digest).update(seed).update(number).digest());
  }
  return Buffer.concat(parts);
}
