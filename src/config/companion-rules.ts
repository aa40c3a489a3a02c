/**
 * What the shape of a shadow or canary cannot say: there has to be something that it stands beside.
 */
import { canaryWindowMs } from "./canary-schema.ts";
import { valueAt } from "./config-document.ts";
import type { ConfigPath, Finding } from "./config-document.ts";
import { parseDurationMs } from "./duration.ts";
import { policyOwners } from "./policy-paths.ts";

/** Problems of `shadow` and `canary` that no schema finds. */
export function companionFindings(value: unknown): readonly Finding[] {
  return policyOwners(value).flatMap(({ owner }) => [
    ...["shadow", "canary"].flatMap((key) => loneFindings(value, owner, key)),
    ...windowFindings(value, [...owner, "canary", "abort", "window"]),
  ]);
}

function loneFindings(value: unknown, owner: ConfigPath, key: string): readonly Finding[] {
  const path = [...owner, key];
  if (valueAt(value, path) === undefined) return [];
  const at = { path, atKey: true };
  const place = path.join(".");
  if (valueAt(value, [...owner, "policy"]) === undefined) {
    return [{ ...at, message: `${place}: expected a policy beside it, found none` }];
  }
  if (valueAt(value, [...owner, "disabled"]) !== true) return [];
  return [{ ...at, message: `${place}: expected a server that is served, found it disabled` }];
}

function windowFindings(value: unknown, path: ConfigPath): readonly Finding[] {
  const window = valueAt(value, path);
  if (typeof window !== "string") return [];
  const windowMs = parseDurationMs(window);
  const { least, most } = canaryWindowMs;
  if (Number.isNaN(windowMs) || (windowMs >= least && windowMs <= most)) return [];
  const message = `${path.join(".")}: expected 1m to 24h, found ${JSON.stringify(window)}`;
  return [{ path, message }];
}
