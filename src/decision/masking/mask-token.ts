/**
 * What stands for a hidden value: a keyed hash, the same for the same value, so that records can be
 * compared and counted by it, and that nobody without the key can try values against.
 */
import { createHmac } from "node:crypto";

const tokenHexDigits = 32;

export class MaskTokens {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** `masked:hmac:` and 32 hexadecimal digits. */
  token(text: string): string {
    return `masked:hmac:${this.#hmac("value", text).slice(0, tokenHexDigits)}`;
  }

  /** In place of a digest that anybody could make again: `hmac-sha256:` of it. */
  digest(digest: string): string {
    return `hmac-sha256:${this.#hmac("digest", digest)}`;
  }

  #hmac(purpose: string, text: string): string {
    return createHmac("sha256", this.#key).update(`${purpose}\0${text}`).digest("hex");
  }
}
