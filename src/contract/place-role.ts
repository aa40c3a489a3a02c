/**
 * What a bundle is for: to decide as the policy of a server or layer, or to be tried beside the one
 * that does.
 */

/**
 * `policy` decides; `shadow` is asked about what was decided and never decides; `canary` is asked
 * about some principals and can only tighten.
 */
export type PlaceRole = "policy" | "shadow" | "canary";

/** Ids of servers and names of layers have no `~`. */
const separator = "~";

/** What a companion of a server or layer is called: `compliance~shadow`. */
export function companionName(base: string, role: Exclude<PlaceRole, "policy">): string {
  return `${base}${separator}${role}`;
}

/** What it means for calls that the bundle of this name is not used any more. */
export function lossOf(name: string): string {
  return name.includes(separator) ? "it is tried no more" : "calls are denied";
}
