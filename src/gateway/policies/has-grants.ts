/**
 * Whether a policy can grant anything, as far as its bundle says what rules it has.
 */
import type { Bundle } from "../../contract/bundle.ts";

/** True for a rule that grants; false too where the bundle does not say. */
export function hasGrants({ rules }: Bundle["metadata"]): boolean {
  return Array.isArray(rules) && (rules.includes("allow") || rules.includes("decision"));
}
