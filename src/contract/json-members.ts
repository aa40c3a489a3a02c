/**
 * Takes JSON text apart without parsing it, so that what goes before a policy again is the text that
 * it was asked about, number for number. The text is a record's, which was written by this program;
 * what is not whole is an error. A replay does this several times for each record: what could be said
 * shorter with regular expressions or `JSON.parse` is written out, because they take ten times as long.
 */

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/**
 * Texts of an object's members, by name.
 *
 * @param wanted Only these; what stands behind the last of them is not looked at.
 * @throws SyntaxError
 */
export function jsonMembers(
  text: string,
  wanted?: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let at = enter(text, openBrace);
  while (text.charCodeAt(at) !== closeBrace) {
    const nameEnd = endOfString(text, at);
    const name = jsonString(text.slice(at, nameEnd));
    at = expectCode(text, skipSpace(text, nameEnd), colon);
    const end = endOfValue(text, at);
    if (wanted === undefined || wanted.has(name)) members.set(name, text.slice(at, end));
    if (members.size === wanted?.size) break;
    at = next(text, end, closeBrace);
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
  let at = enter(text, openBracket);
  while (text.charCodeAt(at) !== closeBracket) {
    const end = endOfValue(text, at);
    items.push(text.slice(at, end));
    at = next(text, end, closeBracket);
  }
  return items;
}

/**
 * The string that a text stands for; `""` where it is another value.
 *
 * @throws SyntaxError
 */
export function jsonString(text: string): string {
  if (text.charCodeAt(0) !== quote) return "";
  if (!text.includes("\\")) return text.slice(1, -1);
  return String(JSON.parse(text));
}

/** An object of these members. */
export function toJsonObject(members: ReadonlyMap<string, string>): string {
  let texts = "";
  for (const [name, value] of members) {
    texts += `${texts === "" ? "" : ","}${JSON.stringify(name)}:${value}`;
  }
  return `{${texts}}`;
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
  if (code === openBrace || code === openBracket) return endOfNested(text, from);
  let at = from;
  while (at < text.length && !isDelimiter(text.charCodeAt(at))) at += 1;
  if (at === from) throw brokenAt(from);
  return at;
}

function endOfNested(text: string, from: number): number {
  let depth = 0;
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = endOfString(text, at);
      continue;
    }
    at += 1;
    if (code === openBrace || code === openBracket) depth += 1;
    else if (code === closeBrace || code === closeBracket) {
      depth -= 1;
      if (depth === 0) return at;
    } else if (Number.isNaN(code)) throw brokenAt(text.length);
  }
}

/** Most of a text is inside of strings: they are jumped over, not walked through. */
function endOfString(text: string, from: number): number {
  if (text.charCodeAt(from) !== quote) throw brokenAt(from);
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === backslash) backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
  throw brokenAt(text.length);
}

function isDelimiter(code: number): boolean {
  return code === comma || code === closeBrace || code === closeBracket || code <= 0x20;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= 0x20) at += 1;
  return at;
}

function brokenAt(at: number): SyntaxError {
  return new SyntaxError(`expected json, found other text at character ${at}`);
}
