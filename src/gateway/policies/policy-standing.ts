/**
 * Whether a gateway can decide with the policies that it has. A policy that was withdrawn, or never
 * came, denies; what it denies makes the difference between a gateway that is worth a request and one
 * that is not.
 */
import type { GatewayConfig } from "../../config/config.ts";

/**
 * `ready`: every policy that is configured decides. `degraded`: some do not, and what needs them is
 * denied. `unable`: nothing could be allowed.
 */
export type PolicyStanding = "ready" | "degraded" | "unable";

/** The standing of a set of policies. */
export function policyStanding(
  { servers, layers }: Pick<GatewayConfig, "servers" | "layers">,
  active: readonly { readonly name: string; readonly bundle: object | undefined }[],
): PolicyStanding {
  const there = new Set(active.flatMap(({ bundle, name }) => (bundle === undefined ? [] : [name])));
  const wanted = [...servers.values()].filter(
    ({ disabled, policy }) => !disabled && policy !== undefined,
  );
  const own = wanted.filter(({ id }) => there.has(id));
  const missing = layers.filter(({ name }) => !there.has(name));
  // A layer with a condition, or one that is only observed, does not stand in the way of everything.
  const isBlocked = missing.some(
    ({ when, observedUntilMs }) => when === undefined && observedUntilMs === undefined,
  );
  if (isBlocked || (wanted.length > 0 && own.length === 0)) return "unable";
  return missing.length > 0 || own.length < wanted.length ? "degraded" : "ready";
}
