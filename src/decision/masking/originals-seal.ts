/**
 * Seals what records hide to public keys, so that the gateway cannot open what it sealed. A content
 * key goes by HPKE to each recipient and seals the records of an hour: a key pair for every record
 * would cost as much as everything else about its masking. The gateway takes another one after the
 * hour, and never writes one anywhere.
 */
import { createCipheriv, randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { sealBase, tagBytes } from "./hpke.ts";
import { unmaskKeyId } from "./unmask-keys.ts";

type Members = Readonly<Record<string, unknown>>;

/** Hidden values and names. */
export interface Originals {
  /** JSON text by pointer into the record as it is kept. */
  readonly values: ReadonlyMap<string, string>;
  /** Names of members by what stands for them. */
  readonly names: ReadonlyMap<string, string>;
}

interface ContentKey {
  readonly key: Buffer;
  /** It, as each recipient gets it. */
  readonly to: readonly Members[];
  readonly untilMs: number;
  recordsLeft: number;
}

/** `alg` of a seal. */
export const sealAlgorithm = "HPKE-X25519-SHA256-A256GCM";
/** The content key's context for HPKE. */
export const contentKeyContext = { info: "mcp-gateway originals", aad: "" };
export const boxCipher = "aes-256-gcm";
/** Drawn for each record: a counter goes on alike in a copy of a running machine. */
export const boxNonceBytes = 12;

const contentKeyBytes = 32;
const contentKeyMs = 3_600_000;
/** Far below what random nonces allow. */
const contentKeyRecords = 1_048_576;

/** Of one process. */
export class OriginalsSeal {
  readonly #recipients: readonly KeyObject[];
  readonly #monotonicMs: () => number;
  #contentKey: ContentKey | undefined;

  constructor(recipients: readonly KeyObject[], monotonicMs: () => number) {
    this.#recipients = recipients;
    this.#monotonicMs = monotonicMs;
  }

  /** The member `sealed` of a record. */
  seal({ values, names }: Originals, binding: string): Members {
    const { key, to } = this.#takeContentKey();
    const nonce = randomBytes(boxNonceBytes);
    const cipher = createCipheriv(boxCipher, key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(Buffer.from(binding));
    const text = JSON.stringify({ values: [...values], names: [...names] });
    const parts = [nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
    return { alg: sealAlgorithm, to, box: Buffer.concat(parts).toString("base64") };
  }

  #takeContentKey(): ContentKey {
    const nowMs = this.#monotonicMs();
    const kept = this.#contentKey;
    const isGood = kept !== undefined && nowMs < kept.untilMs && kept.recordsLeft > 0;
    const taken = isGood ? kept : newContentKey(this.#recipients, nowMs);
    taken.recordsLeft -= 1;
    this.#contentKey = taken;
    return taken;
  }
}

/** What a seal is bound to: a decision has two records. */
export function sealBinding(kind: string, decisionId: string): string {
  return `${kind} ${decisionId}`;
}

function newContentKey(recipients: readonly KeyObject[], nowMs: number): ContentKey {
  const key = randomBytes(contentKeyBytes);
  const to = recipients.map((recipient) => {
    const { enc, sealed } = sealBase(recipient, contentKeyContext, key);
    const [encText, keyText] = [enc.toString("base64"), sealed.toString("base64")];
    return { key_id: unmaskKeyId(recipient), enc: encText, key: keyText };
  });
  return { key, to, untilMs: nowMs + contentKeyMs, recordsLeft: contentKeyRecords };
}
