/**
 * The shape of a host builtin. It answers the text of its value, or undefined where OPA would report
 * an ordinary error: the rule that called it is then undefined, as with a compiled policy's native
 * builtins. What it throws fails the whole decision; that is for work that would not end or not fit.
 */
import type { OpaValue } from "../opa-value.ts";

/** What a builtin may know beside its operands; the same for all evaluations of one decision. */
export interface BuiltinContext {
  /** The decision's one time, milliseconds since the epoch. */
  readonly timeMs: number;
  /** What random values are drawn from. The same seed gives the same values. */
  readonly seed: string;
}

/** Operands in, and out the value as JSON text in which sets and keys of any type may stand. */
export type Builtin = (
  operands: readonly OpaValue[],
  context: BuiltinContext,
) => string | undefined;

/** Builtins by name. */
export type BuiltinGroup = Readonly<Record<string, Builtin>>;
