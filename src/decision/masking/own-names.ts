/**
 * What members are called whose names are hidden: two of them are never called the same, so that
 * nobody hides one member behind another, and what was listed by its old name is found by its own.
 */
import type { MaskTokens } from "./mask-token.ts";

/** Gives every hidden name one of its own, and follows pointers to where their places are now. */
export class OwnNames {
  readonly #tokens: MaskTokens;
  /** Names that were sent, by what stands for them. */
  readonly #sent = new Map<string, string>();
  /** By the parent's pointer as it is now, and the name before. */
  readonly #moved = new Map<string, string>();
  readonly #closed = new Set<string>();

  constructor(tokens: MaskTokens) {
    this.#tokens = tokens;
  }

  /** True where a pass named members already: what looks like a token may be one. */
  get isUsed(): boolean {
    return this.#sent.size > 0;
  }

  /** `written`, or another where that stands for another name. */
  take(name: string, written: string, isFirst: boolean): string {
    const sent = isFirst ? name : (this.#sent.get(name) ?? name);
    const isFree = (shown: string): boolean => (this.#sent.get(shown) ?? sent) === sent;
    let free = written;
    if (!isFree(free)) {
      const own = this.#tokens.token(sent);
      free = own;
      for (let next = 2; !isFree(free); next += 1) free = `${own}~${next}`;
    }
    this.#sent.set(free, sent);
    return free;
  }

  /** What was at one pointer is at another now. */
  move(from: string, to: string): void {
    this.#moved.set(from, to);
  }

  /** Nothing is left below a pointer. */
  close(pointer: string): void {
    this.#closed.add(pointer);
  }

  /** Pointers are followed through one pass. */
  startPass(): void {
    this.#moved.clear();
    this.#closed.clear();
  }

  /** Where a place is after this pass; `undefined` where it is hidden with what it was in. */
  follow(pointer: string): string | undefined {
    let at = "";
    for (const segment of pointer.split("/").slice(1)) {
      if (this.#closed.has(at)) return undefined;
      const here = `${at}/${segment}`;
      at = this.#moved.get(here) ?? here;
    }
    return at;
  }
}
