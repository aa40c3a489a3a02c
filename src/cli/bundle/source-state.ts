/**
 * The one word for how a source of policy is doing, out of what is kept of it.
 */
import type { BundleHistory } from "../../bundle/life/bundle-history.ts";
import { abortOf, isRevoked } from "../../bundle/life/history-changes.ts";
import type { Reference } from "../../bundle/reference.ts";
import { parseReference } from "../../bundle/reference.ts";
import type { PolicySource } from "../../config/config.ts";

/**
 * `revoked` and `stale` deny; with the others the active bundle decides. `chosen`: somebody chose
 * another one and no gateway has followed yet, or none can. `held`: somebody keeps it there whatever
 * its source has. `waiting`, `rejected`: its source has another one that waits, or was refused.
 * `aborted`: a canary that gateways took out; its layer decides alone.
 */
export type SourceState =
  | "aborted"
  | "active"
  | "chosen"
  | "held"
  | "rejected"
  | "revoked"
  | "stale"
  | "waiting";

/** The state of a source of which a bundle was active; `undefined` where none ever was. */
export function sourceState(
  history: BundleHistory,
  policy: PolicySource,
  nowMs: number,
): SourceState | undefined {
  const { active, candidate, hold, status } = history;
  if (active === null) return candidate?.state;
  if (isRevoked(history, active)) return "revoked";
  if (abortOf(history) !== undefined) return "aborted";
  if (isStale(policy, status.last_successful_request, nowMs)) return "stale";
  if (hold !== null && hold.digest !== active.digest) return "chosen";
  // Where each new bundle waits for somebody, having activated one holds back nothing.
  const isUsual = policy.cadence.activation === "manual" && hold?.way === "activate";
  if (hold !== null && !isUsual) return "held";
  return candidate?.state ?? "active";
}

function isStale(
  { cadence, reference }: PolicySource,
  heard: string | null,
  nowMs: number,
): boolean {
  const { maxStalenessMs } = cadence;
  if (maxStalenessMs === undefined || isFixed(parseReference(reference))) return false;
  const heardMs = Date.parse(heard ?? "");
  return Number.isNaN(heardMs) || nowMs - heardMs > maxStalenessMs;
}

/** What names one bundle for ever is asked once. */
export function isFixed(parsed: Reference): boolean {
  switch (parsed.scheme) {
    case "oci":
    case "oci-layout":
      return parsed.digest !== undefined;
    case "git":
      return /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(parsed.ref);
    case "https":
    case "file":
      return false;
  }
}
