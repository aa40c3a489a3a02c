/**
 * What Go's formatting knows about one operand and one verb.
 */

/** An operand with the name that Go gives its type. */
export type GoOperand =
  | { readonly type: "int64" | "*big.Int"; readonly value: bigint }
  | { readonly type: "float64"; readonly value: number }
  | { readonly type: "string"; readonly value: string };

/** Flags, width and precision of one verb. */
export interface GoFlags {
  readonly plus: boolean;
  readonly minus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  /** `%#v`: the value as Go source. */
  readonly sharpV: boolean;
  readonly width: number;
  readonly precision: number | undefined;
}

/** Pads to the width, counted in characters; zeros only ever stand to the left. */
export function pad(text: string, { width, minus, zero }: GoFlags): string {
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (minus) return text + " ".repeat(missing);
  return (zero ? "0" : " ").repeat(missing) + text;
}
