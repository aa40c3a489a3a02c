/**
 * What a plain scalar is in Go's YAML library: words, integers in four bases with underscores,
 * doubles, and text for everything else, times among it.
 */

export type PlainValue = null | boolean | bigint | number | string;

const words: Readonly<Record<string, PlainValue>> = {
  "": null,
  "~": null,
  null: null,
  Null: null,
  NULL: null,
  true: true,
  True: true,
  TRUE: true,
  false: false,
  False: false,
  FALSE: false,
  ".nan": Number.NaN,
  ".NaN": Number.NaN,
  ".NAN": Number.NaN,
  ".inf": Infinity,
  ".Inf": Infinity,
  ".INF": Infinity,
  "+.inf": Infinity,
  "+.Inf": Infinity,
  "+.INF": Infinity,
  "-.inf": -Infinity,
  "-.Inf": -Infinity,
  "-.INF": -Infinity,
};
const integer = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const maxUint64 = 2n ** 64n - 1n;

/** The value of a scalar without quotes. */
export function resolvePlain(text: string): PlainValue {
  if (Object.hasOwn(words, text)) return words[text] ?? null;
  if (!/^[-+.0-9]/.test(text)) return text;
  const plain = text.startsWith(".") ? text : text.replaceAll("_", "");
  return integerOf(plain) ?? (float.test(plain) ? Number(plain) : text);
}

/** Undefined beyond 64 bits, where Go reads a double. */
function integerOf(plain: string): bigint | undefined {
  const [whole, sign, hex, binary, octal, decimal] = integer.exec(plain) ?? [];
  if (whole === undefined) return undefined;
  const digits = [hex && `0x${hex}`, binary && `0b${binary}`, octal && `0o${octal}`, decimal];
  const magnitude = BigInt(digits.find((text) => text !== undefined) ?? 0);
  if (sign === "-") return magnitude <= 2n ** 63n ? -magnitude : undefined;
  const maximum = sign === "+" ? 2n ** 63n - 1n : maxUint64;
  return magnitude <= maximum ? magnitude : undefined;
}
