/**
 * Constants of a template: Go's strings, characters, numbers, true and false.
 */
import type { TemplateValue } from "./template-value.ts";

const escapes: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
const escape = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|(.))/gsu;
const maxInt64 = 2n ** 63n - 1n;

/** Undefined for a word that is no constant. */
export function readConstant(text: string): TemplateValue | undefined {
  if (text === "true" || text === "false") return { kind: "boolean", value: text === "true" };
  if (text.startsWith("`")) return { kind: "string", value: text.slice(1, -1) };
  if (text.startsWith('"')) return { kind: "string", value: unescape(text.slice(1, -1)) };
  if (text.startsWith("'")) {
    const code = unescape(text.slice(1, -1)).codePointAt(0) ?? 0;
    return { kind: "integer", value: BigInt(code) };
  }
  return /^[+-]?\.?\d/.test(text) ? readNumber(text.replaceAll("_", "")) : undefined;
}

/** A whole number is an integer, also where it is written with an exponent. */
function readNumber(text: string): TemplateValue | undefined {
  const sign = text.startsWith("-") ? -1n : 1n;
  const digits = text.replace(/^[+-]/, "");
  if (/^0[xXoObB]|^\d+$/.test(digits)) {
    const isOctal = /^0\d/.test(digits);
    if (isOctal && /[89]/.test(digits)) return undefined;
    const value = sign * BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
    return value <= maxInt64 && value >= -maxInt64 - 1n ? { kind: "integer", value } : undefined;
  }
  const value = Number(text);
  if (!Number.isFinite(value)) return undefined;
  return { kind: "float", value };
}

function unescape(text: string): string {
  return text.replace(
    escape,
    (
      _,
      byte: string | undefined,
      short: string | undefined,
      long: string | undefined,
      octal: string | undefined,
      letter: string | undefined,
    ) => {
      const hex = byte ?? short ?? long;
      if (hex !== undefined) return characterOf(Number.parseInt(hex, 16));
      if (octal !== undefined) return characterOf(Number.parseInt(octal, 8));
      return escapes[letter ?? ""] ?? letter ?? "";
    },
  );
}

function characterOf(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : "\uFFFD";
}
