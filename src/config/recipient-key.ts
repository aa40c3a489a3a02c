/**
 * A public key that originals are sealed to: X25519 in PEM, as `openssl pkey -pubout` writes it. What
 * is refused is named by its kind and never shown, since it may be a private key.
 */
import { createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";

export type RecipientKey =
  | { readonly ok: true; readonly key: KeyObject }
  | { readonly ok: false; readonly message: string };

const advice =
  'make one with "openssl genpkey -algorithm X25519", and its public half with "openssl pkey -pubout"';
const privateAdvice =
  'give gateways its public half, as "openssl pkey -in FILE -pubout" writes it, and keep the private key away from them';
const aloneAdvice =
  'leave nothing there but its block, as "openssl pkey -pubout" writes it; the other text may be a private key';

/** The key, or why there is none. */
export function openRecipientKey(pem: string): RecipientKey {
  const labels = Array.from(pem.matchAll(/-----BEGIN ([^-]*)-----/g), ([, label]) => label ?? "");
  if (labels.some((label) => label.includes("PRIVATE")))
    return refused("a private key", privateAdvice);
  if (labels.length > 1) return refused("several; list each by itself");
  const key = labels[0] === "PUBLIC KEY" ? publicKeyOf(pem) : undefined;
  if (key === undefined) return refused("none", advice);
  const { asymmetricKeyType: type } = key;
  if (type !== "x25519") return refused(`one of type ${type ?? "none"}`, advice);
  if (!isAlone(key, pem)) return refused("one beside other text", aloneAdvice);
  return isUsable(key) ? { ok: true, key } : refused("one that everybody can open", advice);
}

function refused(found: string, advised?: string): RecipientKey {
  const message = `expected a public key, X25519, in PEM, found ${found}`;
  return { ok: false, message: advised === undefined ? message : `${message}; ${advised}` };
}

function publicKeyOf(pem: string): KeyObject | undefined {
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}

/** Whatever else is there, before, behind or in the block, is read by whoever reads the configuration. */
function isAlone(key: KeyObject, pem: string): boolean {
  const written = key.export({ type: "spki", format: "pem" }).toString();
  return pem.replaceAll(/\s/g, "") === written.replaceAll(/\s/g, "");
}

/** Of points of small order every secret is zero, and OpenSSL refuses to make it. */
function isUsable(publicKey: KeyObject): boolean {
  const { privateKey } = generateKeyPairSync("x25519");
  try {
    return diffieHellman({ privateKey, publicKey }).some((byte) => byte !== 0);
  } catch {
    return false;
  }
}
