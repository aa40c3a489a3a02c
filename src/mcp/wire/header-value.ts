/**
 * Values of the headers that mirror a request's body in MCP 2026-07-28 (`Mcp-Name`, `Mcp-Param-…`),
 * by "Value Encoding" of its Streamable HTTP chapter. What a plain ASCII field value cannot carry
 * travels as Base64 between `=?base64?` and `?=`. Which header mirrors what is for others to say.
 */
import type { Json } from "../../contract/json.ts";

const prefix = "=?base64?";
const suffix = "?=";
const visibleAscii = /^[\u0020-\u007e]*$/;
const fieldValue = /^[\t\u0020-\u007e]*$/;
const canonicalBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const decimal = /^-?\d+(?:\.\d+)?$/;

/**
 * The text of an argument as its header mirrors it: strings, integers and booleans. `undefined`
 * where no header is sent: `null`, other types, integers that a double does not hold exactly.
 */
export function headerTextOf(value: Json | undefined): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "true" : "false";
  return typeof value === "number" && Number.isSafeInteger(value) ? String(value) : undefined;
}

/**
 * The header value for a text. A tab is encoded too: the specification lets it pass in the middle
 * of a value, and not every intermediary does. So is the empty text, which some of them drop.
 */
export function encodeHeaderValue(text: string): string {
  const isPlain = text !== "" && visibleAscii.test(text) && text === text.trim();
  if (isPlain && !isWrapped(text)) return text;
  return `${prefix}${Buffer.from(text, "utf8").toString("base64")}${suffix}`;
}

/**
 * The text behind a header value. `undefined` where it has to be refused: characters that no field
 * value may hold, or a wrapper around what is not canonical Base64 of UTF-8.
 */
export function decodeHeaderValue(value: string): string | undefined {
  if (!fieldValue.test(value)) return undefined;
  if (!isWrapped(value)) return value;
  const payload = value.slice(prefix.length, -suffix.length);
  if (!canonicalBase64.test(payload)) return undefined;
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return decoder.decode(Buffer.from(payload, "base64"));
  } catch {
    return undefined;
  }
}

/** True where a decoded header says what the body says; integers are compared as numbers. */
export function agreesWithBody(text: string, value: Json | undefined): boolean {
  if (typeof value === "number" && decimal.test(text)) return Number(text) === value;
  return text === headerTextOf(value);
}

function isWrapped(value: string): boolean {
  return (
    value.length >= prefix.length + suffix.length &&
    value.startsWith(prefix) &&
    value.endsWith(suffix)
  );
}
