/**
 * Numbers as OPA has them, of any size and exact, where a double would round. Kept as a whole
 * number and a power of ten, so that a number with a huge exponent is not written out.
 */

/** `mantissa` × 10^`exponent`; the mantissa ends in no zero, and zero has the exponent 0. */
export interface Decimal {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const form = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
/** Numbers with more digits are not written out; the evaluation fails instead. */
const maxDigits = 1_000_000;

/** Reads a JSON number. */
export function readDecimal(text: string): Decimal {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = form.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return { mantissa: 0n, exponent: 0 };
  const dropped = digits.length - significant.length;
  return {
    mantissa: BigInt(sign + significant),
    exponent: Number(exponent) - fraction.length + dropped,
  };
}

/** The exact order of two numbers: negative, 0 or positive. */
export function compareDecimals(left: Decimal, right: Decimal): number {
  const [ours, theirs] = [signOf(left), signOf(right)];
  if (ours !== theirs || ours === 0) return ours - theirs;
  const bySize = magnitude(left) - magnitude(right);
  if (bySize !== 0) return bySize * ours;
  const exponent = Math.min(left.exponent, right.exponent);
  const difference = scaled(left, exponent) - scaled(right, exponent);
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

/**
 * The whole number that a decimal is; undefined where it has a fraction.
 *
 * @throws Error for one with more than a million digits.
 */
export function wholeValue({ mantissa, exponent }: Decimal): bigint | undefined {
  if (exponent < 0) return undefined;
  if (exponent > maxDigits) throw new Error(`expected a number of at most ${maxDigits} digits`);
  return mantissa * 10n ** BigInt(exponent);
}

function signOf({ mantissa }: Decimal): number {
  return mantissa === 0n ? 0 : mantissa < 0n ? -1 : 1;
}

/** Digits before the decimal point. */
function magnitude({ mantissa, exponent }: Decimal): number {
  return String(mantissa).replace("-", "").length + exponent;
}

/** Both numbers have the same magnitude, so this is never more than their own digits. */
function scaled({ mantissa, exponent }: Decimal, to: number): bigint {
  return mantissa * 10n ** BigInt(exponent - to);
}
