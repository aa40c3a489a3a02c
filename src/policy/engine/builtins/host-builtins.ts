/**
 * The host builtins by name, with the semantics of OPA's own evaluator. An implementation answers
 * the JSON text of its value, or undefined where OPA would report an ordinary error: the rule that
 * called it is then undefined, as in a compiled policy's native builtins.
 */
import type { HostBuiltin } from "../../../contract/host-builtins.ts";
import type { OpaValue } from "../opa-value.ts";
import { anyPrefixMatch, anySuffixMatch } from "./any-affix-match.ts";
import { sprintf } from "./sprintf.ts";
import { nowNs, parseRfc3339Ns } from "./time.ts";

/** What a builtin may know beside its operands; the same for all evaluations of one decision. */
export interface BuiltinContext {
  /** The decision's one time, milliseconds since the epoch. */
  readonly timeMs: number;
}

export type Builtin = (
  operands: readonly OpaValue[],
  context: BuiltinContext,
) => string | undefined;

const implementations: Readonly<Record<HostBuiltin, Builtin>> = {
  sprintf,
  "strings.any_prefix_match": anyPrefixMatch,
  "strings.any_suffix_match": anySuffixMatch,
  "time.now_ns": nowNs,
  "time.parse_rfc3339_ns": parseRfc3339Ns,
};

/** Every builtin that the gateway gives to policies. */
export const builtins: ReadonlyMap<string, Builtin> = new Map(Object.entries(implementations));
