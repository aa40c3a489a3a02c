/**
 * Go's `url.QueryEscape`, `url.QueryUnescape` and the unescaping of the other parts of a URL.
 */
import { decodeUtf8 } from "./go-utf8.ts";
import { maxAnswerBytes } from "./values.ts";

const malformed = /%(?![0-9A-Fa-f]{2})/;

/** A text as it stands in a query: a space is `+`, and `%` stands before all but `A-Za-z0-9-_.~`. */
export function escapeQuery(text: string): string {
  return escapeAll(text, /[A-Za-z0-9\-_.~]/).replaceAll("%20", "+");
}

/**
 * `%` before every byte but those of the characters that `keeps` matches.
 *
 * @throws Error for what is longer than any answer may be.
 */
export function escapeAll(text: string, keeps: RegExp): string {
  let escaped = "";
  for (const character of text) {
    escaped += keeps.test(character) ? character : escapeCharacter(character);
    if (escaped.length > maxAnswerBytes) {
      throw new Error(`expected at most ${maxAnswerBytes} bytes of escaped text, found more`);
    }
  }
  return escaped;
}

/** The text that an escaped part of a query stands for; undefined for a `%` that escapes nothing. */
export function unescapeQuery(text: string): string | undefined {
  return unescapePercent(text.replaceAll("+", " "));
}

/** As `unescapeQuery`, where `+` means itself. */
export function unescapePercent(text: string): string | undefined {
  if (!text.includes("%")) return text;
  if (malformed.test(text)) return undefined;
  const bytes = text.split(/(%[0-9A-Fa-f]{2})/).map((part, place) =>
    // Every second part is an escape.
    place % 2 === 1 ? Buffer.from(part.slice(1), "hex") : Buffer.from(part),
  );
  return decodeUtf8(Buffer.concat(bytes));
}

function escapeCharacter(character: string): string {
  return Array.from(
    Buffer.from(character),
    (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
}
