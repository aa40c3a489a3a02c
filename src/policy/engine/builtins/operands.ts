/**
 * Operands as builtins want them, and undefined where one is something else: OPA reports an error
 * there, and the rule is undefined.
 */
import type { OpaValue } from "../opa-value.ts";
import type { Builtin } from "./builtin.ts";
import { readDecimal, wholeValue } from "./decimal.ts";

const int64 = /^(-?\d{1,19})(?:\.0*)?$/;
const maxInt64 = 2n ** 63n - 1n;

/** The string that an operand is. */
export function textOf(operand: OpaValue | undefined): string | undefined {
  return operand?.kind === "string" ? operand.value : undefined;
}

/** OPA's `IntOperand`: a whole number of 64 bits that is written without exponent. */
export function int64Of(operand: OpaValue | undefined): bigint | undefined {
  const digits = operand?.kind === "number" ? int64.exec(operand.text)?.[1] : undefined;
  if (digits === undefined) return undefined;
  const value = BigInt(digits);
  return value >= -maxInt64 - 1n && value <= maxInt64 ? value : undefined;
}

/** OPA's `BigIntOperand`: any whole number, however it is written. */
export function wholeNumberOf(operand: OpaValue | undefined): bigint | undefined {
  return operand?.kind === "number" ? wholeValue(readDecimal(operand.text)) : undefined;
}

/** Elements of an array or a set. */
export function itemsOf(operand: OpaValue | undefined): readonly OpaValue[] | undefined {
  return operand?.kind === "array" || operand?.kind === "set" ? operand.items : undefined;
}

/** Elements of an array or a set of strings. */
export function textsOf(operand: OpaValue | undefined): readonly string[] | undefined {
  const items = itemsOf(operand);
  const texts = items?.flatMap((item) => (item.kind === "string" ? [item.value] : []));
  return texts?.length === items?.length ? texts : undefined;
}

/** The member of an object under a string key. */
export function memberOf(operand: OpaValue | undefined, name: string): OpaValue | undefined {
  if (operand?.kind !== "object") return undefined;
  return operand.members.find(([key]) => key.kind === "string" && key.value === name)?.[1];
}

/** A builtin all of whose operands are strings. */
export function ofTexts(answer: (...texts: readonly string[]) => string | undefined): Builtin {
  return (operands) => {
    const texts = operands.flatMap((operand) => textOf(operand) ?? []);
    if (texts.length !== operands.length || texts.length !== answer.length) return undefined;
    return answer(...texts);
  };
}
