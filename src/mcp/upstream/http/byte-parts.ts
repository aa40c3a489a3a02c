/**
 * Bytes that arrive in pieces. Pieces are joined in blocks as they come, because a server may send
 * each byte by itself, and a million small buffers weigh more than what is in them.
 */

const blockParts = 1024;
const nothing = Buffer.alloc(0);

export class ByteParts {
  #blocks: Buffer[] = [];
  #parts: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(part: Buffer): void {
    this.#length += part.length;
    this.#parts.push(part);
    if (this.#parts.length < blockParts) return;
    this.#blocks.push(Buffer.concat(this.#parts));
    this.#parts = [];
  }

  /** Everything so far in one buffer; nothing is left behind. */
  take(): Buffer {
    const all = [...this.#blocks, ...this.#parts];
    this.clear();
    const [only = nothing, ...others] = all;
    return others.length === 0 ? only : Buffer.concat(all);
  }

  clear(): void {
    [this.#blocks, this.#parts, this.#length] = [[], [], 0];
  }
}
