/**
 * One operand under one verb, as Go's `fmt` prints it.
 */
import { formatMagnitude } from "./go-float.ts";
import { pad } from "./go-operand.ts";
import type { GoFlags, GoOperand } from "./go-operand.ts";
import { canBackquote, goQuote, goQuoteCharacter, isPrintable } from "./go-quote.ts";
import { maxAnswerBytes } from "./values.ts";

const bases = new Map([
  ["d", 10],
  ["v", 10],
  ["b", 2],
  ["o", 8],
  ["O", 8],
  ["x", 16],
  ["X", 16],
]);
const maxCodePoint = 0x10ffffn;

/** The text; where the type has no such verb, Go's note about it. */
export function goPrint(operand: GoOperand, verb: string, flags: GoFlags): string {
  if (verb === "T") return printString(operand.type, "s", flags) ?? "";
  return printValue(operand, verb, flags) ?? badVerb(operand, verb, flags);
}

function badVerb(operand: GoOperand, verb: string, flags: GoFlags): string {
  if (operand.type === "*big.Int" && verb !== "p" && verb !== "w") {
    return `%!${verb}(big.Int=${operand.value})`;
  }
  return `%!${verb}(${operand.type}=${printValue(operand, "v", flags) ?? ""})`;
}

function printValue(operand: GoOperand, verb: string, flags: GoFlags): string | undefined {
  switch (operand.type) {
    case "string":
      return printString(operand.value, verb, flags);
    case "float64":
      return printFloat(operand.value, verb, flags);
    case "int64":
      return printInteger(operand.value, verb, flags);
    case "*big.Int":
      return printBig(operand.value, verb, flags);
  }
}

function printString(text: string, verb: string, flags: GoFlags): string | undefined {
  switch (verb) {
    case "v":
      return flags.sharpV ? printQuoted(text, flags) : pad(truncated(text, flags), flags);
    case "s":
      return pad(truncated(text, flags), flags);
    case "q":
      return printQuoted(truncated(text, flags), flags);
    case "x":
    case "X":
      return printBytes(text, verb, flags);
    default:
      return undefined;
  }
}

function truncated(text: string, { precision }: GoFlags): string {
  if (precision === undefined) return text;
  let [end, left] = [0, precision];
  for (const character of text) {
    if (left === 0) break;
    end += character.length;
    left -= 1;
  }
  return text.slice(0, end);
}

function printQuoted(text: string, flags: GoFlags): string {
  const shown = truncated(text, flags);
  const isRaw = flags.sharp && canBackquote(shown);
  return pad(isRaw ? `\`${shown}\`` : goQuote(shown, flags.plus), flags);
}

function printBytes(text: string, verb: string, flags: GoFlags): string {
  const prefix = flags.sharp ? `0${verb}` : "";
  const gap = flags.space ? ` ${prefix}` : "";
  const bytes = Buffer.from(text).subarray(0, flags.precision);
  const length = bytes.length * (2 + gap.length);
  if (length > maxAnswerBytes) {
    throw new Error(`expected at most ${maxAnswerBytes} bytes in hexadecimal, found ${length}`);
  }
  const pairs = verb === "X" ? bytes.toString("hex").toUpperCase() : bytes.toString("hex");
  if (pairs === "") return pad("", flags);
  return pad(prefix + (flags.space ? pairs.replace(/..(?=.)/g, `$&${gap}`) : pairs), flags);
}

function printInteger(value: bigint, verb: string, flags: GoFlags): string | undefined {
  const unsigned = BigInt.asUintN(64, value);
  switch (verb) {
    case "c":
      return pad(characterOf(unsigned), flags);
    case "q":
      return pad(goQuoteCharacter(characterOf(unsigned), flags.plus), flags);
    case "U":
      return printUnicode(unsigned, flags);
    default:
      return printDigits(value, verb, flags);
  }
}

function characterOf(code: bigint): string {
  const isCharacter = code <= maxCodePoint && !(code >= 0xd800n && code <= 0xdfffn);
  return isCharacter ? String.fromCodePoint(Number(code)) : "\ufffd";
}

function printUnicode(code: bigint, flags: GoFlags): string {
  const digits = code
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(flags.precision ?? 0, 4), "0");
  const isShown = flags.sharp && code <= maxCodePoint && isPrintable(characterOf(code));
  return pad(`U+${digits}${isShown ? ` '${characterOf(code)}'` : ""}`, { ...flags, zero: false });
}

function printDigits(value: bigint, verb: string, flags: GoFlags): string | undefined {
  const base = bases.get(verb);
  if (base === undefined) return undefined;
  const { precision, width } = flags;
  const unpadded = { ...flags, zero: false };
  if (precision === 0 && value === 0n) return pad("", unpadded);
  const sign = signOf(value < 0n, flags);
  const isFilled = precision === undefined && flags.zero && !flags.minus;
  const least = isFilled ? width - sign.length : (precision ?? 0);
  const digits = digitsOf(value, base, verb).padStart(least, "0");
  return pad(sign + prefixOf(digits, verb, flags) + digits, unpadded);
}

function prefixOf(digits: string, verb: string, { sharp }: GoFlags): string {
  if (verb === "O") return sharp && !digits.startsWith("0") ? "0o0" : "0o";
  if (!sharp) return "";
  if (verb === "o") return digits.startsWith("0") ? "" : "0";
  return verb === "b" || verb === "x" || verb === "X" ? `0${verb}` : "";
}

/** `big.Int` formats itself, a little differently from the integers that `fmt` knows. */
function printBig(value: bigint, verb: string, flags: GoFlags): string | undefined {
  const base = verb === "s" ? 10 : bases.get(verb);
  if (base === undefined) return undefined;
  const sign = signOf(value < 0n, flags);
  const marked = flags.sharp && ["b", "x", "X"].includes(verb) ? `0${verb}` : "";
  const octal = flags.sharp && verb === "o" ? "0" : "";
  const prefix = verb === "O" ? "0o" : marked + octal;
  const digits = digitsOf(value, base, verb).padStart(flags.precision ?? 0, "0");
  const missing = flags.width - sign.length - prefix.length - digits.length;
  const isFilled = flags.zero && !flags.minus && flags.precision === undefined && missing > 0;
  const filled = isFilled ? "0".repeat(missing) + digits : digits;
  return pad(sign + prefix + filled, { ...flags, zero: false });
}

function digitsOf(value: bigint, base: number, verb: string): string {
  const digits = (value < 0n ? -value : value).toString(base);
  return verb === "X" ? digits.toUpperCase() : digits;
}

function signOf(isNegative: boolean, { plus, space }: GoFlags): string {
  if (isNegative) return "-";
  if (plus) return "+";
  return space ? " " : "";
}

function printFloat(value: number, verb: string, flags: GoFlags): string | undefined {
  const form = verb === "v" ? "g" : verb === "F" ? "f" : verb;
  if (!["b", "g", "G", "x", "X", "f", "e", "E"].includes(form)) return undefined;
  const precision = flags.precision ?? (["f", "e", "E"].includes(form) ? 6 : -1);
  const isNegative = value < 0 || Object.is(value, -0);
  const plain = formatMagnitude(Math.abs(value), form, precision);
  const isPointed = flags.sharp && form !== "b";
  const magnitude = isPointed ? withPoint(plain, form, precision) : plain;
  const sign = signOf(isNegative, flags);
  const missing = flags.width - sign.length - magnitude.length;
  if (sign !== "" && flags.zero && !flags.minus && missing > 0) {
    return sign + "0".repeat(missing) + magnitude;
  }
  return pad(sign + magnitude, flags);
}

/** `%#g` and its like keep the decimal point, and the zeros that the precision asks for. */
function withPoint(plain: string, form: string, precision: number): string {
  const [, number = plain, tail = ""] = /^(.*?)([ep].*)?$/iu.exec(plain) ?? [];
  const isHex = form === "x" || form === "X";
  const [digits, rest] = isHex ? hexParts(plain) : [number, tail];
  const counted = form === "g" || form === "G" || form === "x" ? precision : 0;
  const wanted = counted < 0 ? 6 : counted;
  const significant = digits.replace(".", "").replace(/^0+/u, "").length;
  const lone = !digits.includes(".") && digits === "0" ? 1 : 0;
  const zeros = "0".repeat(Math.max(wanted - significant - lone, 0));
  return digits + (digits.includes(".") ? "" : ".") + zeros + rest;
}

function hexParts(plain: string): readonly [string, string] {
  const at = plain.toLowerCase().indexOf("p");
  return [plain.slice(0, at), plain.slice(at)];
}
