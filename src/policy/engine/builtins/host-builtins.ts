/**
 * The host builtins by name, with the semantics of OPA's own evaluator.
 */
import type { HostBuiltin } from "../../../contract/host-builtins.ts";
import { anyPrefixMatch, anySuffixMatch } from "./any-affix-match.ts";
import type { Builtin } from "./builtin.ts";
import { sprintf } from "./sprintf.ts";
import { nowNs, parseRfc3339Ns } from "./time.ts";

const implementations: Readonly<Record<HostBuiltin, Builtin>> = {
  sprintf,
  "strings.any_prefix_match": anyPrefixMatch,
  "strings.any_suffix_match": anySuffixMatch,
  "time.now_ns": nowNs,
  "time.parse_rfc3339_ns": parseRfc3339Ns,
};

/** Every builtin that the gateway gives to policies. */
export const builtins: ReadonlyMap<string, Builtin> = new Map(Object.entries(implementations));
