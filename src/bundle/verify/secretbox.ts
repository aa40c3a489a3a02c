/**
 * Opens NaCl's secret box (XSalsa20-Poly1305), in which cosign keeps private keys and which Node's
 * OpenSSL does not have. Opens one small box of the person's own and makes none; not written to
 * hide how long it takes.
 */
import { timingSafeEqual } from "node:crypto";

const sigma = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
const tagBytes = 16;
const prime = (1n << 130n) - 5n;
const clamp = 0x0ffffffc0ffffffc0ffffffc0fffffffn;
const columns = [
  [0, 4, 8, 12],
  [5, 9, 13, 1],
  [10, 14, 2, 6],
  [15, 3, 7, 11],
] as const;
const rows = [
  [0, 1, 2, 3],
  [5, 6, 7, 4],
  [10, 11, 8, 9],
  [15, 12, 13, 14],
] as const;

/**
 * What is in a box.
 *
 * @param key - 32 bytes
 * @param nonce - 24 bytes
 * @returns `undefined` where the key is not the one that closed it
 */
export function openSecretBox(box: Buffer, key: Buffer, nonce: Buffer): Buffer | undefined {
  if (key.length !== 32 || nonce.length !== 24 || box.length < tagBytes) return undefined;
  const subkey = deriveKey(key, nonce.subarray(0, 16));
  const tag = box.subarray(0, tagBytes);
  const sealed = box.subarray(tagBytes);
  const stream = keyStream(subkey, nonce.subarray(16), 32 + sealed.length);
  if (!timingSafeEqual(authenticate(sealed, stream.subarray(0, 32)), tag)) return undefined;
  return Buffer.from(sealed.map((byte, index) => byte ^ (stream[32 + index] ?? 0)));
}

/** HSalsa20: the first half of the nonce goes into the key. */
function deriveKey(key: Buffer, input: Buffer): Buffer {
  const words = mix(initialWords(key, input));
  const derived = Buffer.alloc(32);
  for (const [index, word] of [0, 5, 10, 15, 6, 7, 8, 9].entries()) {
    derived.writeUInt32LE(words[word] ?? 0, index * 4);
  }
  return derived;
}

function keyStream(key: Buffer, nonce: Buffer, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 64) }, (_, counter) => {
    const input = Buffer.alloc(16);
    nonce.copy(input);
    input.writeUInt32LE(counter, 8);
    const before = initialWords(key, input);
    const block = Buffer.alloc(64);
    for (const [index, word] of mix(before).entries()) {
      block.writeUInt32LE((word + (before[index] ?? 0)) >>> 0, index * 4);
    }
    return block;
  });
  return Buffer.concat(blocks).subarray(0, length);
}

function initialWords(key: Buffer, input: Buffer): Uint32Array {
  const [first = 0, second = 0, third = 0, fourth = 0] = sigma;
  const at = [0, 1, 2, 3];
  return Uint32Array.from([
    first,
    ...at.map((index) => word(key, index)),
    second,
    ...at.map((index) => word(input, index)),
    third,
    ...at.map((index) => word(key, index + 4)),
    fourth,
  ]);
}

function word(bytes: Buffer, index: number): number {
  return bytes.readUInt32LE(index * 4);
}

/** Twenty rounds of Salsa20. */
function mix(words: Uint32Array): Uint32Array {
  const mixed = Uint32Array.from(words);
  for (let round = 0; round < 10; round += 1) {
    for (const [a, b, c, d] of [...columns, ...rows]) {
      turn(mixed, b, a, d, 7);
      turn(mixed, c, b, a, 9);
      turn(mixed, d, c, b, 13);
      turn(mixed, a, d, c, 18);
    }
  }
  return mixed;
}

function turn(words: Uint32Array, to: number, one: number, two: number, bits: number): void {
  const sum = ((words[one] ?? 0) + (words[two] ?? 0)) >>> 0;
  words[to] = (words[to] ?? 0) ^ ((sum << bits) | (sum >>> (32 - bits)));
}

/** Poly1305 (RFC 8439 §2.5). */
function authenticate(message: Buffer, key: Buffer): Buffer {
  const factor = littleEndian(key.subarray(0, 16)) & clamp;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum = ((sum + littleEndian(block) + (1n << BigInt(8 * block.length))) * factor) % prime;
  }
  const tag = (sum + littleEndian(key.subarray(16))) & ((1n << 128n) - 1n);
  return Buffer.from(Buffer.from(tag.toString(16).padStart(32, "0"), "hex").toReversed());
}

function littleEndian(bytes: Buffer): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString("hex") || "0"}`);
}
