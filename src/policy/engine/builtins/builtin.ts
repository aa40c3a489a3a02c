/**
 * The shape of a host builtin. It answers the JSON text of its value, or undefined where OPA would
 * report an ordinary error: the rule that called it is then undefined, as with a compiled policy's
 * native builtins.
 */
import type { OpaValue } from "../opa-value.ts";

/** What a builtin may know beside its operands; the same for all evaluations of one decision. */
export interface BuiltinContext {
  /** The decision's one time, milliseconds since the epoch. */
  readonly timeMs: number;
}

export type Builtin = (
  operands: readonly OpaValue[],
  context: BuiltinContext,
) => string | undefined;
