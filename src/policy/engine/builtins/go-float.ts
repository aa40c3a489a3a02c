/**
 * Go's texts of a `float64`: `strconv.FormatFloat` with the forms that `fmt` uses. Digits are made
 * from the exact binary value and rounded half to even, where JavaScript's own functions round half
 * up and stop at a hundred digits.
 */

interface Decimal {
  /** Significant digits without trailing zeros; empty for zero. */
  readonly digits: string;
  /** Position of the decimal point: the value is `0.digits` × 10^point. */
  readonly point: number;
}

interface Binary {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const mantissaBits = 52;

/** The text of a finite magnitude, without sign. `precision` −1 is the shortest that is exact. */
export function formatMagnitude(value: number, verb: string, precision: number): string {
  switch (verb) {
    case "b": {
      const { mantissa, exponent } = binaryOf(value);
      return `${mantissa}p${exponent < 0 ? "" : "+"}${exponent}`;
    }
    case "x":
    case "X":
      return formatHex(value, verb, precision);
    case "e":
    case "E":
      return formatExponent(rounded(value, precision + 1), verb, precision);
    case "f":
      return formatFixed(roundedAt(value, precision), precision);
    default:
      return formatGeneral(value, verb, precision);
  }
}

/** `%g`: by exponent, the one form or the other; never with trailing zeros. */
function formatGeneral(value: number, verb: string, precision: number): string {
  const isShortest = precision < 0;
  const wanted = precision === 0 ? 1 : precision;
  const decimal = isShortest ? shortest(value) : rounded(value, wanted);
  const count = decimal.digits.length;
  const { point } = decimal;
  const limit = isShortest ? 6 : wanted > count && count >= point ? count : wanted;
  const exponent = point - 1;
  if (exponent < -4 || exponent >= limit) {
    const shown = isShortest || wanted > count ? count : wanted;
    return formatExponent(decimal, verb === "G" ? "E" : "e", shown - 1);
  }
  return formatFixed(decimal, Math.max(count - point, 0));
}

function formatExponent({ digits, point }: Decimal, letter: string, precision: number): string {
  const exponent = digits === "" ? 0 : point - 1;
  const fraction = precision > 0 ? `.${digits.slice(1, precision + 1).padEnd(precision, "0")}` : "";
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${digits[0] ?? "0"}${fraction}${letter}${exponent < 0 ? "-" : "+"}${size}`;
}

function formatFixed({ digits, point }: Decimal, precision: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  if (precision <= 0) return whole;
  const fraction = "0".repeat(Math.max(-point, 0)) + digits.slice(Math.max(point, 0));
  return `${whole}.${fraction.slice(0, precision).padEnd(precision, "0")}`;
}

/** `0x1.8p+01`: the leading bit, the others in fours, the exponent of two. */
function formatHex(value: number, verb: string, precision: number): string {
  const { mantissa, exponent } = binaryOf(value);
  const bits = mantissa.toString(2).length;
  let top = mantissa === 0n ? 0n : mantissa << BigInt(61 - bits);
  let power = mantissa === 0n ? 0 : exponent + bits - 1;
  if (precision >= 0 && precision < 15) {
    const dropped = BigInt(60 - precision * 4);
    const extra = top & ((1n << dropped) - 1n);
    top >>= dropped;
    if (extra + (top & 1n) > 1n << (dropped - 1n)) top += 1n;
    top <<= dropped;
    if (top >> 61n === 1n) {
      top >>= 1n;
      power += 1;
    }
  }
  const all = (top & ((1n << 60n) - 1n)).toString(16).padStart(15, "0");
  const fraction =
    precision < 0 ? all.replace(/0+$/u, "") : all.padEnd(precision, "0").slice(0, precision);
  const size = String(Math.abs(power)).padStart(2, "0");
  const dot = fraction === "" ? "" : ".";
  const text = `0x${top >> 60n}${dot}${fraction}p${power < 0 ? "-" : "+"}${size}`;
  return verb === "X" ? text.toUpperCase() : text;
}

function rounded(value: number, count: number): Decimal {
  if (count <= 0) return shortest(value);
  const exact = exactDecimal(value);
  return roundDigits(exact, count);
}

function roundedAt(value: number, fractionDigits: number): Decimal {
  const exact = exactDecimal(value);
  return roundDigits(exact, exact.point + fractionDigits);
}

function roundDigits({ digits, point }: Decimal, count: number): Decimal {
  if (count >= digits.length) return { digits, point };
  if (count < 0) return { digits: "", point: 0 };
  const kept = digits.slice(0, count);
  const rest = digits.slice(count);
  const isUp = rest > "5" || (rest === "5" && Number(kept.at(-1) ?? 0) % 2 === 1);
  if (!isUp) return trimmed(kept, point);
  const up = String(BigInt(`0${kept}`) + 1n).padStart(count, "0");
  return trimmed(up, point + up.length - count);
}

/** The fewest digits that read back as the same value: what JavaScript prints. */
function shortest(value: number): Decimal {
  const [digits = "", exponent = "0"] = value.toExponential().replace(".", "").split("e");
  return trimmed(digits, Number(exponent) + 1);
}

/** Every digit of the value: a double is a whole number of powers of two, and so of ten. */
function exactDecimal(value: number): Decimal {
  const { mantissa, exponent } = binaryOf(value);
  const scaled = exponent < 0 ? mantissa * 5n ** BigInt(-exponent) : mantissa << BigInt(exponent);
  const digits = String(scaled);
  return trimmed(digits, digits.length + Math.min(exponent, 0));
}

function trimmed(digits: string, point: number): Decimal {
  const significant = digits.replace(/0+$/u, "");
  return significant === "" ? { digits: "", point: 0 } : { digits: significant, point };
}

function binaryOf(value: number): Binary {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> BigInt(mantissaBits)) & 0x7ffn);
  const fraction = bits & ((1n << BigInt(mantissaBits)) - 1n);
  const mantissa = biased === 0 ? fraction : fraction | (1n << BigInt(mantissaBits));
  return { mantissa, exponent: Math.max(biased, 1) - 1023 - mantissaBits };
}
