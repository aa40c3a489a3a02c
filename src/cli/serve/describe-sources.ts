/**
 * How each source of policy of a running gateway is doing: what is kept of it in the state folder,
 * which the keepers of this process write, so that there is one truth for the admin interface and for
 * `bundle list`.
 */
import { systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import type { PlaceWithPolicy } from "../../config/policy-places.ts";
import { servedPolicies } from "../../config/policy-places.ts";
import { readStanding } from "../bundle/read-standing.ts";

/** One document for each server, layer and companion that has a policy; snake_case. */
export async function describeSources(
  config: Pick<GatewayConfig, "servers" | "layers">,
  stateDir: string,
): Promise<readonly object[]> {
  return await Promise.all(servedPolicies(config).map((place) => describeSource(place, stateDir)));
}

async function describeSource(
  { name, base, role, kind, policy }: PlaceWithPolicy,
  stateDir: string,
): Promise<object> {
  const beside = role === "policy" ? null : base;
  const about = { name, role, beside, kind, reference: policy.reference };
  const nowMs = systemClock.nowMs();
  const place = { stateDir, clock: systemClock };
  const standing = await readStanding(place, { name, policy }, nowMs);
  const { state = "not_asked", active, ...others } = standing;
  const ageMs = active === null ? undefined : nowMs - Date.parse(active.activated_at);
  const age_seconds = ageMs === undefined ? null : Math.max(0, Math.floor(ageMs / 1000));
  return { ...about, state, age_seconds, active, ...others };
}
