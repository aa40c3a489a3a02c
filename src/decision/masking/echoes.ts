/**
 * What was hidden in one place and stands in another: a policy's reason that repeats an argument, a
 * builtin's operand, a secret of the configuration that a server sends back. Looked for as it was
 * written, and as JSON, URLs and base64 write it.
 */

/** Shorter ones are looked for as words of their own. */
const leastInside = 6;
/** Shorter numbers stand for too much else. */
const leastDigits = 4;
/** Longer ones are documents, which nobody repeats in a sentence. */
const mostCharacters = 8192;
const maxOriginals = 512;
const masked = /(masked:hmac:[0-9a-f]{32})/;

/** Codes and words of the gateway's own. */
const code = /^[a-z][a-z0-9_.]{0,63}$/;

/** Texts that are hidden wherever they stand. */
export class Echoes {
  readonly #patterns = new Map<string, RegExp>();
  /** More than this look for: what is no code is then hidden whole. */
  #isFull = false;
  /** All of them at once, made when it is asked for. */
  #any: RegExp | undefined;

  constructor(originals: readonly string[] = []) {
    for (const original of originals) this.add(original);
  }

  get isEmpty(): boolean {
    return this.#patterns.size === 0;
  }

  add(original: string): void {
    if (original.trim() === "" || original.length > mostCharacters) return;
    if (this.#patterns.has(original)) return;
    this.#isFull ||= this.#patterns.size >= maxOriginals;
    if (this.#isFull) return;
    this.#patterns.set(original, new RegExp(sourceOf(original), "gu"));
    this.#any = undefined;
  }

  /** True where a text may hold one, however it is escaped there. */
  mayBeIn(text: string): boolean {
    if (this.isEmpty) return false;
    this.#any ??= new RegExp([...this.#patterns.keys()].map(sourceOf).join("|"), "u");
    return this.#isFull || this.#any.test(text);
  }

  /** The text with each of them replaced; `undefined` where it holds none. */
  replace(text: string, token: (text: string) => string): string | undefined {
    if (this.#isFull && !code.test(text)) return token(text);
    if (!this.mayBeIn(text)) return undefined;
    let written = text;
    // The longest first: one may be a part of another.
    const longest = [...this.#patterns].toSorted(([a], [b]) => b.length - a.length);
    for (const [original, pattern] of longest) {
      const parts = written.split(masked);
      written = parts
        .map((part, index) =>
          index % 2 === 1 ? part : part.replaceAll(pattern, () => token(original)),
        )
        .join("");
    }
    return written === text ? undefined : written;
  }

  /** True for a number that is one of them. */
  isNumber(word: string): boolean {
    return word.length >= leastDigits && this.#patterns.has(word);
  }
}

function sourceOf(original: string): string {
  const forms = [...new Set(formsOf(original))].toSorted((a, b) => b.length - a.length);
  const any = forms.map((form) => form.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&")).join("|");
  return original.length >= leastInside
    ? `(?:${any})`
    : `(?<![\\p{L}\\p{N}_])(?:${any})(?![\\p{L}\\p{N}_])`;
}

function formsOf(original: string): readonly string[] {
  const json = JSON.stringify(original).slice(1, -1);
  const forms = [original, json, JSON.stringify(json).slice(1, -1), inUrl(original)];
  if (original.length < leastInside) return forms;
  const bytes = Buffer.from(original);
  return [
    ...forms,
    original.trim(),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("base64url"),
    bytes.toString("hex"),
  ];
}

/** Half a surrogate pair has no form there. */
function inUrl(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
