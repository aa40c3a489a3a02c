/**
 * Fractions of whole numbers, for amounts that no double holds.
 */

/** `top` / `bottom`; the bottom is positive. */
export interface Ratio {
  readonly top: bigint;
  readonly bottom: bigint;
}

const form = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/** Reads a decimal number as Go does; undefined for other text. */
export function readRatio(text: string): Ratio | undefined {
  const [matched, sign, whole = "", fraction = "", power = "0"] = form.exec(text) ?? [];
  if (matched === undefined || whole + fraction === "") return undefined;
  const exponent = Number(power) - fraction.length;
  const digits = BigInt(whole + fraction);
  const signed = sign === "-" ? -digits : digits;
  if (exponent < 0) return { top: signed, bottom: 10n ** BigInt(-exponent) };
  return { top: signed * 10n ** BigInt(exponent), bottom: 1n };
}

/** The nearest value with so many significant bits, to even where two are as near. */
export function roundToBits({ top, bottom }: Ratio, bits: number): Ratio {
  if (top === 0n) return { top, bottom: 1n };
  const size = top < 0n ? -top : top;
  // One bit too many or too few at first, since the lengths say the quotient's only so well.
  let shift = bits - (bitLength(size) - bitLength(bottom));
  let quotient = divideShifted(size, bottom, shift);
  if (bitLength(quotient.whole) > bits) {
    shift -= 1;
    quotient = divideShifted(size, bottom, shift);
  }
  const { whole, rest, divisor } = quotient;
  const isUp = rest * 2n > divisor || (rest * 2n === divisor && whole % 2n === 1n);
  const rounded = (isUp ? whole + 1n : whole) * (top < 0n ? -1n : 1n);
  if (shift >= 0) return { top: rounded, bottom: 1n << BigInt(shift) };
  return { top: rounded << BigInt(-shift), bottom: 1n };
}

function divideShifted(top: bigint, bottom: bigint, shift: number) {
  const dividend = shift > 0 ? top << BigInt(shift) : top;
  const divisor = shift < 0 ? bottom << BigInt(-shift) : bottom;
  return { whole: dividend / divisor, rest: dividend % divisor, divisor };
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}
