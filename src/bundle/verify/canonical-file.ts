/**
 * JSON as OPA hashes it for a signature: objects sorted by the bytes of their keys, no spaces,
 * numbers as they are written, strings as Go's encoder writes them without HTML escapes
 * (`v1/bundle/hash.go`). `JSON.parse` would lose how numbers are written, so the text is walked here.
 */

const maxDepth = 512;
const space = /[ \t\n\r]*/y;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * The canonical form.
 *
 * @throws SyntaxError where the bytes are no JSON in UTF-8, name a member twice or nest too deeply
 */
export function canonicalFile(bytes: Uint8Array): string {
  const reader = new JsonReader(decode(bytes));
  const value = reader.readValue(0);
  reader.readEnd();
  return value;
}

/** A place in a text; each method reads on from there and returns the canonical form. */
class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readValue(depth: number): string {
    if (depth > maxDepth) throw new SyntaxError(`nested more than ${maxDepth} deep`);
    this.#take(space);
    if (this.#skip("{")) return this.#readObject(depth);
    if (this.#skip("[")) return this.#readArray(depth);
    return this.#text[this.#at] === '"' ? encodeString(this.#readString()) : this.#expect(scalar);
  }

  readEnd(): void {
    this.#take(space);
    if (this.#at !== this.#text.length) throw new SyntaxError("text after the end");
  }

  #readObject(depth: number): string {
    const members = new Map<string, string>();
    this.#take(space);
    if (this.#skip("}")) return "{}";
    do {
      this.#take(space);
      const key = this.#readString();
      this.#take(space);
      if (!this.#skip(":")) throw new SyntaxError("a member without a colon");
      if (members.has(key)) throw new SyntaxError("a member that is there twice");
      members.set(key, this.readValue(depth + 1));
      this.#take(space);
    } while (this.#skip(","));
    if (!this.#skip("}")) throw new SyntaxError("an object without end");
    const sorted = [...members].toSorted(([left], [right]) => compareBytes(left, right));
    return `{${sorted.map(([key, value]) => `${encodeString(key)}:${value}`).join(",")}}`;
  }

  #readArray(depth: number): string {
    const items: string[] = [];
    this.#take(space);
    if (this.#skip("]")) return "[]";
    do {
      items.push(this.readValue(depth + 1));
      this.#take(space);
    } while (this.#skip(","));
    if (!this.#skip("]")) throw new SyntaxError("an array without end");
    return `[${items.join(",")}]`;
  }

  /** By a loop, since a pattern runs out of stack in a long one. A lone surrogate is as in Go. */
  #readString(): string {
    const start = this.#at;
    if (!this.#skip('"')) throw new SyntaxError("something that is no JSON");
    for (let mark = ""; mark !== '"'; this.#at += mark === "\\" ? 2 : 1) {
      mark = this.#text[this.#at] ?? "";
      if (mark === "") throw new SyntaxError("a string without end");
    }
    return parseString(this.#text.slice(start, this.#at)).toWellFormed();
  }

  #expect(pattern: RegExp): string {
    const found = this.#take(pattern);
    if (found === undefined) throw new SyntaxError("something that is no JSON");
    return found;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #skip(mark: string): boolean {
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (thrown) {
    throw new SyntaxError("text that is not UTF-8", { cause: thrown });
  }
}

/** The engine's own message would repeat the text. */
function parseString(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch (thrown) {
    throw new SyntaxError("a string that is none of JSON", { cause: thrown });
  }
}

function encodeString(text: string): string {
  return JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
