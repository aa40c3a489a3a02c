/**
 * Takes JSON text apart without parsing it, so that what goes before a policy again is the text that
 * it was asked about, number for number. The text is a record's, which was written by this program;
 * what is not whole is an error.
 */

const quote = 0x22;
const closers: Readonly<Record<number, number>> = { 0x7b: 0x7d, 0x5b: 0x5d };
const colon = 0x3a;
const comma = 0x2c;

/**
 * Texts of an object's members, by name.
 *
 * @throws SyntaxError
 */
export function jsonMembers(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let at = enter(text, 0x7b);
  while (text.charCodeAt(at) !== 0x7d) {
    const nameEnd = endOfString(text, at);
    const name: unknown = JSON.parse(text.slice(at, nameEnd));
    at = expectCode(text, skipSpace(text, nameEnd), colon);
    const end = endOfValue(text, at);
    members.set(String(name), text.slice(at, end));
    at = next(text, end, 0x7d);
  }
  return members;
}

/**
 * Texts of a list's items.
 *
 * @throws SyntaxError
 */
export function jsonItems(text: string): readonly string[] {
  const items: string[] = [];
  let at = enter(text, 0x5b);
  while (text.charCodeAt(at) !== 0x5d) {
    const end = endOfValue(text, at);
    items.push(text.slice(at, end));
    at = next(text, end, 0x5d);
  }
  return items;
}

/** An object of these members. */
export function toJsonObject(members: ReadonlyMap<string, string>): string {
  const texts: string[] = [];
  for (const [name, value] of members) texts.push(`${JSON.stringify(name)}:${value}`);
  return `{${texts.join(",")}}`;
}

function enter(text: string, opener: number): number {
  return expectCode(text, skipSpace(text, 0), opener);
}

/** Behind a value: the next one, or what closes them. */
function next(text: string, end: number, closer: number): number {
  const at = skipSpace(text, end);
  const code = text.charCodeAt(at);
  if (code === closer) return at;
  return expectCode(text, at, comma);
}

function expectCode(text: string, at: number, code: number): number {
  if (text.charCodeAt(at) !== code) throw brokenAt(at);
  return skipSpace(text, at + 1);
}

function endOfValue(text: string, from: number): number {
  const code = text.charCodeAt(from);
  if (code === quote) return endOfString(text, from);
  if (closers[code] !== undefined) return endOfNested(text, from);
  let at = from;
  while (at < text.length && !isDelimiter(text.charCodeAt(at))) at += 1;
  if (at === from) throw brokenAt(from);
  return at;
}

function endOfNested(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = endOfString(text, at);
      continue;
    }
    at += 1;
    if (code === 0x7b || code === 0x5b) depth += 1;
    else if (code === 0x7d || code === 0x5d) depth -= 1;
    if (depth === 0) return at;
  }
  throw brokenAt(at);
}

function endOfString(text: string, from: number): number {
  if (text.charCodeAt(from) !== quote) throw brokenAt(from);
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
  throw brokenAt(text.length);
}

function isDelimiter(code: number): boolean {
  return code === comma || code === 0x7d || code === 0x5d || code <= 0x20;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= 0x20) at += 1;
  return at;
}

function brokenAt(at: number): SyntaxError {
  return new SyntaxError(`expected json, found other text at character ${at}`);
}
