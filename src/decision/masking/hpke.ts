/**
 * Hybrid public key encryption, RFC 9180, of one message in base mode: DHKEM(X25519, HKDF-SHA256),
 * HKDF-SHA256, AES-256-GCM. Whoever has the public key seals; only the private key opens. Every
 * published implementation waits for Web Crypto, and a record is masked without waiting.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
} from "node:crypto";
import type { KeyObject } from "node:crypto";

/** What a message is bound to; both sides have to say the same. */
export interface HpkeContext {
  /** What the keys are used for. */
  readonly info: string;
  readonly aad: string;
}

export interface HpkeMessage {
  /** The public key that was made for this message. */
  readonly enc: Buffer;
  /** Ciphertext and tag. */
  readonly sealed: Buffer;
}

/** Both halves of an X25519 key. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Bytes of the tag of AES-GCM. */
export const tagBytes = 16;

const algorithm = "aes-256-gcm";
const keyBytes = 32;
const nonceBytes = 12;
const empty = Buffer.alloc(0);
const version = Buffer.from("HPKE-v1");
const kemSuite = Buffer.from("KEM\x00\x20", "latin1");
const suite = Buffer.from("HPKE\x00\x20\x00\x01\x00\x02", "latin1");
const baseMode = Buffer.of(0);

/** Section 6.1, `SealBase`; throws where the public key is one that no secret comes of. */
export function sealBase(
  recipient: KeyObject,
  { info, aad }: HpkeContext,
  message: Uint8Array,
  ephemeral: KeyPair = generateKeyPairSync("x25519"),
): HpkeMessage {
  const enc = rawPublicKey(ephemeral.publicKey);
  const shared = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: recipient });
  const { key, nonce } = keySchedule(sharedSecret(shared, enc, rawPublicKey(recipient)), info);
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(aad));
  const sealed = Buffer.concat([cipher.update(message), cipher.final(), cipher.getAuthTag()]);
  return { enc, sealed };
}

/** Section 6.1, `OpenBase`; throws where anything of it is not what was sealed. */
export function openBase(
  privateKey: KeyObject,
  { info, aad }: HpkeContext,
  { enc, sealed }: HpkeMessage,
): Buffer {
  const shared = diffieHellman({ privateKey, publicKey: publicKeyOf(enc) });
  const own = rawPublicKey(createPublicKey(privateKey));
  const { key, nonce } = keySchedule(sharedSecret(shared, enc, own), info);
  const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
    .setAAD(Buffer.from(aad))
    .setAuthTag(sealed.subarray(-tagBytes));
  return Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()]);
}

/** The 32 bytes of a public key. */
export function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" }).subarray(-keyBytes);
}

function publicKeyOf(raw: Buffer): KeyObject {
  const key = { kty: "OKP", crv: "X25519", x: raw.toString("base64url") };
  return createPublicKey({ key, format: "jwk" });
}

/** Section 4.1, `ExtractAndExpand`. */
function sharedSecret(shared: Buffer, enc: Buffer, recipient: Buffer): Buffer {
  const secret = extract(kemSuite, empty, "eae_prk", shared);
  return expand(kemSuite, secret, "shared_secret", Buffer.concat([enc, recipient]), keyBytes);
}

/** Section 5.1, `KeySchedule`. */
function keySchedule(
  shared: Buffer,
  info: string,
): { readonly key: Buffer; readonly nonce: Buffer } {
  const context = Buffer.concat([
    baseMode,
    extract(suite, empty, "psk_id_hash", empty),
    extract(suite, empty, "info_hash", Buffer.from(info)),
  ]);
  const secret = extract(suite, shared, "secret", empty);
  return {
    key: expand(suite, secret, "key", context, keyBytes),
    nonce: expand(suite, secret, "base_nonce", context, nonceBytes),
  };
}

/** Section 4, `LabeledExtract`. */
function extract(suiteId: Buffer, salt: Buffer, label: string, input: Buffer): Buffer {
  const hmac = createHmac("sha256", salt).update(version).update(suiteId);
  return hmac.update(label).update(input).digest();
}

/** Section 4, `LabeledExpand`, of one block at most. */
function expand(
  suiteId: Buffer,
  secret: Buffer,
  label: string,
  info: Buffer,
  length: number,
): Buffer {
  const hmac = createHmac("sha256", secret).update(Buffer.of(0, length)).update(version);
  const block = hmac.update(suiteId).update(label).update(info).update(Buffer.of(1)).digest();
  return block.subarray(0, length);
}
