/**
 * One strict reading of JSON text that came from a client. It promises one value and one normalised
 * text of it, key order as sent, in which every reader sees the same thing: no duplicate keys, no
 * `__proto__`, no lone surrogates, no numbers that a double changes into another integer, bounded
 * depth. What breaks a rule but still parses is reported with the value, so that the caller can
 * answer the request by its id. UTF-8, size and message shape are the caller's.
 */
import type { Json } from "../../contract/json.ts";

export type JsonViolationCode =
  | "invalid_json"
  | "duplicate_key"
  | "forbidden_key"
  | "ill_formed_string"
  | "number_out_of_range"
  | "too_deep";

export interface JsonViolation {
  readonly code: JsonViolationCode;
  /** RFC 6901 pointer to the offending value. */
  readonly pointer: string;
  readonly message: string;
}

/** Object keys from the top, at least one. */
export type CapturePath = readonly [string, ...string[]];

export interface StrictJson {
  readonly value: Json;
  /** Normalised text of the value at each path of `captures`, `undefined` where nothing is there. */
  readonly captured: readonly (string | undefined)[];
  /** The first rule that was broken. */
  readonly violation: JsonViolation | undefined;
}

export const maxDepth = 64;
/** Deeper text is still read this far, to find the id of the request that it came with. */
const readableDepth = 1000;

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const plainStringPattern = /[^"\\\u0000-\u001f]*/y;

/**
 * Reads `text` strictly; `captures` are the paths of object keys whose normalised text is wanted.
 * Text that is no JSON at all has `value: null` and a violation `invalid_json`.
 */
export function readStrictJson(text: string, captures: readonly CapturePath[] = []): StrictJson {
  const reader = new StrictReader(text, captures);
  try {
    const value = reader.readDocument();
    return { value, captured: reader.captured, violation: reader.violation };
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    const invalid = { code: "invalid_json", pointer: "", message: thrown.message } as const;
    const violation = reader.violation?.code === "too_deep" ? reader.violation : invalid;
    return { value: null, captured: [], violation };
  }
}

interface Node {
  readonly value: Json;
  readonly text: string;
}

class StrictReader {
  readonly captured: (string | undefined)[];
  violation: JsonViolation | undefined;
  readonly #text: string;
  readonly #captures: readonly CapturePath[];
  readonly #captureDepth: number;
  readonly #path: string[] = [];
  #at = 0;

  constructor(text: string, captures: readonly CapturePath[]) {
    this.#text = text;
    this.#captures = captures;
    this.#captureDepth = Math.max(0, ...captures.map((path) => path.length));
    this.captured = captures.map(() => undefined);
  }

  readDocument(): Json {
    const node = this.#readValue();
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail("unexpected text after the JSON value");
    return node.value;
  }

  #readValue(): Node {
    this.#skipSpace();
    const node = this.#readNode();
    this.#capture(node);
    return node;
  }

  #readNode(): Node {
    switch (this.#text[this.#at]) {
      case "{":
        return this.#readObject();
      case "[":
        return this.#readArray();
      case '"':
        return this.#readString();
      case "t":
        return this.#readWord("true", true);
      case "f":
        return this.#readWord("false", false);
      case "n":
        return this.#readWord("null", null);
      default:
        return this.#readNumber();
    }
  }

  #readObject(): Node {
    const value: Record<string, Json> = {};
    const parts: string[] = [];
    this.#enter();
    while (!this.#tryClose("}", parts.length === 0)) {
      const key = this.#readKey();
      this.#path.push(key.name);
      this.#checkKey(key.name, value);
      const member = this.#readValue();
      if (key.name !== "__proto__") value[key.name] = member.value;
      parts.push(`${key.text}:${member.text}`);
      this.#path.pop();
    }
    return { value, text: `{${parts.join(",")}}` };
  }

  #readArray(): Node {
    const value: Json[] = [];
    const parts: string[] = [];
    this.#enter();
    while (!this.#tryClose("]", parts.length === 0)) {
      this.#path.push(String(parts.length));
      const element = this.#readValue();
      this.#path.pop();
      value.push(element.value);
      parts.push(element.text);
    }
    return { value, text: `[${parts.join(",")}]` };
  }

  /** Steps over `{` or `[`; the path's length is the nesting depth of what is inside. */
  #enter(): void {
    this.#at += 1;
    if (this.#path.length < maxDepth) return;
    this.#report("too_deep", `nesting is deeper than ${maxDepth} levels`);
    if (this.#path.length >= readableDepth) this.#fail("nesting is too deep to be read");
  }

  /** Steps over the separator before the next member, or over the closing bracket. */
  #tryClose(bracket: "}" | "]", isFirst: boolean): boolean {
    this.#skipSpace();
    const character = this.#text[this.#at];
    if (character === bracket) {
      this.#at += 1;
      return true;
    }
    if (isFirst) return false;
    if (character !== ",") this.#fail(`expected "," or "${bracket}"`);
    this.#at += 1;
    return false;
  }

  #readKey(): { readonly name: string; readonly text: string } {
    this.#skipSpace();
    if (this.#text[this.#at] !== '"') this.#fail("expected a quoted key");
    const key = this.#readString();
    this.#skipSpace();
    if (this.#text[this.#at] !== ":") this.#fail('expected ":" after a key');
    this.#at += 1;
    return { name: key.value, text: key.text };
  }

  #checkKey(name: string, seen: Readonly<Record<string, Json>>): void {
    if (name === "__proto__") this.#report("forbidden_key", 'the key "__proto__" is not accepted');
    if (Object.hasOwn(seen, name))
      this.#report("duplicate_key", "the same key stands twice in one object");
  }

  #readString(): { readonly value: string; readonly text: string } {
    const start = this.#at;
    this.#at += 1;
    let hasEscapes = false;
    for (;;) {
      plainStringPattern.lastIndex = this.#at;
      plainStringPattern.test(this.#text);
      this.#at = plainStringPattern.lastIndex;
      const character = this.#text[this.#at];
      if (character === '"') break;
      if (character !== "\\") this.#fail("unfinished string or a raw control character in it");
      hasEscapes = true;
      this.#at += 2;
    }
    this.#at += 1;
    const raw = this.#text.slice(start, this.#at);
    return hasEscapes ? this.#unescape(raw) : { value: raw.slice(1, -1), text: raw };
  }

  #unescape(raw: string): { readonly value: string; readonly text: string } {
    const value: unknown = JSON.parse(raw);
    if (typeof value !== "string") return this.#fail("expected a string");
    if (!value.isWellFormed()) this.#report("ill_formed_string", "a string holds a lone surrogate");
    return { value, text: JSON.stringify(value) };
  }

  #readNumber(): Node {
    numberPattern.lastIndex = this.#at;
    const raw = numberPattern.exec(this.#text)?.[0];
    if (raw === undefined) return this.#fail("expected a JSON value");
    this.#at += raw.length;
    const value = Number(raw);
    const isExact =
      Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
    if (!isExact) {
      this.#report("number_out_of_range", "a number is outside ±2^53; send it as a string");
    }
    return { value, text: JSON.stringify(value) };
  }

  #readWord(word: string, value: boolean | null): Node {
    if (!this.#text.startsWith(word, this.#at)) this.#fail("expected a JSON value");
    this.#at += word.length;
    return { value, text: word };
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) return;
      this.#at += 1;
    }
  }

  #capture({ text }: Node): void {
    if (this.#path.length > this.#captureDepth) return;
    for (const [place, keys] of this.#captures.entries()) {
      const isHere =
        keys.length === this.#path.length && keys.every((key, index) => this.#path[index] === key);
      if (isHere) this.captured[place] = text;
    }
  }

  #report(code: JsonViolationCode, message: string): void {
    const pointer = this.#path.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
    this.violation ??= { code, pointer: pointer.join(""), message };
  }

  #fail(message: string): never {
    throw new SyntaxError(`${message} at character ${this.#at}`);
  }
}
