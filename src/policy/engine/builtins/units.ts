/**
 * `units.parse` and `units.parse_bytes`: amounts with a unit as numbers. The first is exact; the
 * second has the 64 significant bits of OPA's `big.Float`.
 */
import type { BuiltinGroup } from "./builtin.ts";
import { ofTexts } from "./operands.ts";
import { readRatio, roundToBits } from "./ratio.ts";
import type { Ratio } from "./ratio.ts";

interface Amount {
  readonly number: Ratio;
  readonly unit: string;
}

const prefixes = ["k", "m", "g", "t", "p", "e"];
const kilo = 1000n;
const kibi = 1024n;
const maxExponentDigits = 6;
const fractionDigits = 10;
const floatBits = 64;
/** 0.001 as the double that OPA multiplies with. */
const milli: Ratio = { top: 1_152_921_504_606_847n, bottom: 2n ** 60n };

const byteUnits = new Map(
  prefixes.flatMap((prefix, place) => {
    const [decimal, binary] = [kilo ** BigInt(place + 1), kibi ** BigInt(place + 1)];
    return [
      [prefix, decimal],
      [`${prefix}b`, decimal],
      [`${prefix}i`, binary],
      [`${prefix}ib`, binary],
    ] as const;
  }),
);

const parse = ofTexts((text: string) => {
  const amount = readAmount(text.replaceAll('"', ""));
  if (amount === undefined) return undefined;
  const factor = factorOf(amount.unit.slice(0, 1) + amount.unit.slice(1).toLowerCase());
  if (factor === undefined) return undefined;
  const { top, bottom } = amount.number;
  return writeRatio({ top: top * factor.top, bottom: bottom * factor.bottom });
});

const parseBytes = ofTexts((text: string) => {
  const amount = readAmount(text.replaceAll('"', "").toLowerCase());
  if (amount === undefined) return undefined;
  const factor = amount.unit === "" ? 1n : byteUnits.get(amount.unit);
  if (factor === undefined) return undefined;
  const { top, bottom } = roundToBits(amount.number, floatBits);
  const bytes = roundToBits({ top: top * factor, bottom }, floatBits);
  return String(bytes.top / bytes.bottom);
});

/** `m` alone is a thousandth, `M` a million; every other letter may be of either case. */
function factorOf(unit: string): Ratio | undefined {
  if (unit === "") return { top: 1n, bottom: 1n };
  if (unit === "m") return milli;
  const place = prefixes.indexOf(unit.slice(0, 1).toLowerCase());
  if (place < 0 || (unit.length > 1 && unit.slice(1) !== "i")) return undefined;
  return { top: (unit.length > 1 ? kibi : kilo) ** BigInt(place + 1), bottom: 1n };
}

function readAmount(text: string): Amount | undefined {
  if (text.includes(" ")) return undefined;
  const number = leadingNumber(text);
  const ratio = number === undefined ? undefined : readRatio(number);
  return ratio && { number: ratio, unit: text.slice(number?.length) };
}

/**
 * The number in front: digits, points and signs, and an `e` that has a digit or a sign behind it.
 * Undefined where its exponent is too long.
 */
function leadingNumber(text: string): string | undefined {
  const number = /^(?:[0-9.+-]|[eE](?:[+-]|(?=[0-9])))*/.exec(text)?.[0] ?? "";
  const exponents = number.matchAll(/[eE][+-]?([0-9]*)/g);
  for (const [, digits = ""] of exponents) {
    if (digits.length > maxExponentDigits) return undefined;
  }
  return number;
}

function writeRatio({ top, bottom }: Ratio): string {
  if (top % bottom === 0n) return String(top / bottom);
  const scale = 10n ** BigInt(fractionDigits);
  const size = top < 0n ? -top : top;
  const rounded = (2n * size * scale + bottom) / (2n * bottom);
  const fraction = String(rounded % scale).padStart(fractionDigits, "0");
  return `${top < 0n ? "-" : ""}${rounded / scale}.${fraction}`;
}

export const unitBuiltins: BuiltinGroup = {
  "units.parse": parse,
  "units.parse_bytes": parseBytes,
};
