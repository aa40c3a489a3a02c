/**
 * Go's quoted strings and characters: `strconv.Quote` and its relatives.
 */

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const named = new Map([
  ["\u0007", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
]);

/** A Go string constant in double quotes; with `ascii`, of ASCII characters only. */
export function goQuote(text: string, ascii = false): string {
  return `"${Array.from(text, (character) => escape(character, '"', ascii)).join("")}"`;
}

/** A Go character constant in single quotes. */
export function goQuoteCharacter(character: string, ascii = false): string {
  return `'${escape(character, "'", ascii)}'`;
}

/** True where the text can stand unchanged between backquotes. */
export function canBackquote(text: string): boolean {
  return !/[\u0000-\u0008\u000a-\u001f\u007f\ufeff`]/u.test(text);
}

/** True for what Go's `strconv.IsPrint` shows as it is. */
export function isPrintable(character: string): boolean {
  return printable.test(character);
}

function escape(character: string, quote: string, ascii: boolean): string {
  if (character === quote || character === "\\") return `\\${character}`;
  const code = character.codePointAt(0) ?? 0;
  if (isPrintable(character) && (!ascii || code < 0x80)) return character;
  const name = named.get(character);
  if (name !== undefined) return name;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
