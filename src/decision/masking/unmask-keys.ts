/**
 * The keys of those who may unmask: gateways have the public ones and seal with them, and nobody but
 * the person who unmasks has a private one.
 */
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { MaskingConfig } from "../../config/config.ts";
import { openRecipientKey } from "../../config/recipient-key.ts";
import { DecisionError } from "../decision-error.ts";

const idDigits = 16;

/** Whom originals are sealed to; throws `mask_key_unusable`. */
export function recipientKeys({
  recipients,
}: Pick<MaskingConfig, "recipients">): readonly KeyObject[] {
  return recipients.map((pem, index) => {
    const opened = openRecipientKey(pem);
    if (opened.ok) return opened.key;
    throw unusable(`decisions.masking.recipients.${index}: ${opened.message}`);
  });
}

/**
 * Opens a private key, X25519 in PEM, also one that a password protects.
 *
 * @param where - option for messages; the key is in none
 * @throws DecisionError `mask_key_unusable`
 */
export function openUnmaskKey(pem: string, password: string | undefined, where: string): KeyObject {
  const expected = `${where}: expected a private key, X25519, in PEM`;
  if (pem.includes("-----BEGIN PUBLIC KEY-----")) {
    throw unusable(`${expected}, found a public key, which seals and does not open`);
  }
  const key = privateKeyOf(pem, password, expected);
  if (key.asymmetricKeyType === "x25519") return key;
  throw unusable(`${expected}, found one of type ${key.asymmetricKeyType ?? "none"}`);
}

/** How records name a key, private or public: the first digits of the SHA-256 of its public half in DER. */
export function unmaskKeyId(key: KeyObject): string {
  const open = key.type === "private" ? createPublicKey(key) : key;
  const der = open.export({ type: "spki", format: "der" });
  return createHash("sha256").update(der).digest("hex").slice(0, idDigits);
}

function privateKeyOf(pem: string, password: string | undefined, expected: string): KeyObject {
  try {
    return createPrivateKey({
      key: pem,
      ...(password === undefined ? {} : { passphrase: password }),
    });
  } catch {
    // The cause may quote what it could not read.
    const isLocked = pem.includes("ENCRYPTED");
    const needs = password === undefined ? "needs" : "is not opened by";
    const found = isLocked
      ? `one that ${needs} the password in MCP_GATEWAY_UNMASK_PASSWORD`
      : "none";
    throw unusable(`${expected}, found ${found}`);
  }
}

function unusable(message: string): DecisionError {
  return new DecisionError("mask_key_unusable", message);
}
