/**
 * The Rego builtins that the gateway itself provides to compiled policies, besides those that OPA
 * compiles to WebAssembly. One list for both sides: `rego/` refuses a policy that needs another,
 * `policy/engine/` implements each.
 */
export const hostBuiltins = [
  "sprintf",
  "strings.any_prefix_match",
  "strings.any_suffix_match",
  "time.now_ns",
  "time.parse_rfc3339_ns",
] as const;

export type HostBuiltin = (typeof hostBuiltins)[number];
