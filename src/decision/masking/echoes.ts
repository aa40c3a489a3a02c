/**
 * What was hidden in one place and stands in another: a policy's reason that repeats an argument, a
 * builtin's operand, a secret of the configuration that a server sends back. Looked for as it was
 * written, and in other forms.
 */
import { isRecord } from "../../contract/json.ts";
import { formsOf, sourceOf } from "./echo-forms.ts";

/** Shorter numbers stand for too much else. */
const leastDigits = 4;
/** Longer ones are documents, which nobody repeats in a sentence. */
const mostCharacters = 8192;
/** With more, or with more characters in them, a search would keep others waiting. */
const maxOriginals = 512;
const maxCharacters = 131_072;
/** So many are quicker looked for one by one than in one expression. */
const maxInOne = 4096;
const masked = /masked:hmac:[0-9a-f]{32}/g;
const keptToken = Symbol("token");

/** Codes and words of the gateway's own. */
const code = /^[a-z][a-z0-9_.]{0,63}$/;

interface Echo {
  readonly forms: readonly string[];
  readonly source: string;
  pattern: RegExp | undefined;
}

interface EchoPlace {
  readonly start: number;
  readonly end: number;
  /** What stands there in some form; `undefined` where several overlap. */
  readonly original: string | typeof keptToken | undefined;
}

/** Texts that are hidden wherever they stand. */
export class Echoes {
  readonly #echoes = new Map<string, Echo>();
  readonly #numbers = new Set<string>();
  #characters = 0;
  /** There are more than can be looked for: what is no code is then hidden whole. */
  #isFull = false;
  /** All of them at once, made when it is asked for. */
  #any: RegExp | undefined;

  constructor(originals: readonly string[] = []) {
    for (const original of originals) this.add(original);
  }

  get isEmpty(): boolean {
    return this.#echoes.size === 0 && !this.#isFull;
  }

  add(original: string): void {
    if (this.#isFull || original.trim() === "" || original.length > mostCharacters) return;
    if (this.#echoes.has(original)) return;
    this.#characters += original.length;
    this.#isFull = this.#echoes.size >= maxOriginals || this.#characters > maxCharacters;
    if (this.#isFull) return;
    const forms = formsOf(original);
    this.#echoes.set(original, { forms, source: sourceOf(original, forms), pattern: undefined });
    this.#any = undefined;
  }

  /** A number, however it is written: `1234` is `1234.0`. */
  addNumber(word: string): void {
    this.add(word);
    this.#numbers.add(String(Number(word)));
  }

  /** Every text and number in a value. */
  addIn(whole: unknown): void {
    const pending = [whole];
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      if (typeof value === "string" || typeof value === "number") this.add(String(value));
      else if (Array.isArray(value)) for (const item of value) pending.push(item);
      else if (isRecord(value)) for (const name in value) pending.push(value[name]);
    }
  }

  /** True where a text may hold one, however it is escaped there. */
  mayBeIn(text: string): boolean {
    if (this.#isFull) return true;
    if (this.isEmpty) return false;
    if (this.#characters > maxInOne) {
      return [...this.#echoes.values()].some((echo) => isIn(text, echo));
    }
    this.#any ??= new RegExp([...this.#echoes.values()].map(({ source }) => source).join("|"), "u");
    return this.#any.test(text);
  }

  /** The text with each of them replaced; `undefined` where it holds none. */
  replace(text: string, token: (text: string) => string): string | undefined {
    if (this.#isFull && !code.test(text)) return token(text);
    if (!this.mayBeIn(text)) return undefined;
    const tokens = new Map<string, string>();
    let written = "";
    let at = 0;
    for (const { start, end, original } of joined([...tokensIn(text), ...this.#placesIn(text)])) {
      if (original === keptToken) continue;
      const hidden = original ?? text.slice(start, end);
      const shown = tokens.get(hidden) ?? token(hidden);
      tokens.set(hidden, shown);
      written += text.slice(at, start) + shown;
      at = end;
    }
    return at === 0 ? undefined : written + text.slice(at);
  }

  /** True for a number that is one of them. */
  isNumber(word: string): boolean {
    if (word.length < leastDigits) return false;
    return this.#isFull || this.#echoes.has(word) || this.#numbers.has(String(Number(word)));
  }

  #placesIn(text: string): readonly EchoPlace[] {
    return [...this.#echoes].flatMap(([original, echo]) => {
      if (!isIn(text, echo)) return [];
      echo.pattern ??= new RegExp(echo.source, "gu");
      return [...text.matchAll(echo.pattern)].map(({ 0: found, index: start }) => {
        return { start, end: start + found.length, original };
      });
    });
  }
}

/** What was hidden before stays as it is shown. */
function tokensIn(text: string): readonly EchoPlace[] {
  return [...text.matchAll(masked)].map(({ 0: found, index: start }) => {
    return { start, end: start + found.length, original: keptToken };
  });
}

/** In the order of the text; what overlaps is one place, and nobody's. */
function joined(places: readonly EchoPlace[]): readonly EchoPlace[] {
  const found: EchoPlace[] = [];
  for (const place of places.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = found.at(-1);
    if (last === undefined || place.start >= last.end) found.push(place);
    else if (place.end > last.end) {
      found.splice(-1, 1, { start: last.start, end: place.end, original: undefined });
    }
  }
  return found;
}

function isIn(text: string, { forms }: Echo): boolean {
  return forms.some((form) => text.includes(form));
}
