/**
 * The shadows of a configuration over their life: a keeper for each bundle, and whatever is decided
 * goes to those that it concerns. They begin when the policies that decide are there.
 */
import { servedPolicies } from "../../config/policy-places.ts";
import type { EngineLayer, PolicyEngine } from "../../policy/engine/policy-engine.ts";
import type { DecidingParts } from "../action/decide.ts";
import type { PolicyKeeper, StartKeeperOptions } from "../policies/start-keeper.ts";
import { startKeeper } from "../policies/start-keeper.ts";
import type { ShadowStanding } from "./shadow-counts.ts";
import type { ShadowedAction } from "./shadow-policy.ts";
import { Shadow } from "./shadow.ts";

export interface KeepShadowsOptions extends StartKeeperOptions {
  /** Resolves when the first set decides. */
  readonly mayStart: Promise<void>;
  /** The set that decides. */
  readonly layers: () => readonly EngineLayer[];
  /** One for each shadow. */
  readonly openEngine: () => PolicyEngine;
  /** What a decision with such an engine needs. */
  readonly partsFor: (engine: PolicyEngine) => DecidingParts;
}

export interface KeptShadows {
  /** Takes a decision whose record is durable. Returns at once and never throws. */
  readonly follow: (item: ShadowedAction) => void;
  /** Other bundles decide. */
  readonly policiesChanged: () => void;
  readonly standings: () => readonly ShadowStanding[];
  readonly close: () => Promise<void>;
}

/** Starts to keep the shadows of a configuration; most have none. */
export function keepShadows(options: KeepShadowsOptions): KeptShadows {
  const kept = shadowsOf(options);
  const keepers: PolicyKeeper[] = [];
  let isClosed = false;
  const starts = kept.map(async ({ place, shadow }) => {
    await options.mayStart;
    if (isClosed) return;
    shadow.among(options.layers());
    await startKeeper(options, place, shadow.use.bind(shadow), (keeper) => keepers.push(keeper));
  });
  const shadows = kept.map(({ shadow }) => shadow);
  return {
    follow: (item) => {
      if (!isPolicyAnswer(item)) return;
      for (const shadow of shadows) shadow.follow(item);
    },
    policiesChanged: () => {
      for (const shadow of shadows) shadow.among(options.layers());
    },
    standings: () => shadows.map((shadow) => shadow.standing()),
    close: async () => {
      isClosed = true;
      await Promise.all(keepers.map((keeper) => keeper.close()));
      await Promise.all(shadows.map((shadow) => shadow.close()));
      await Promise.all(starts);
    },
  };
}

function shadowsOf(options: KeepShadowsOptions) {
  const { config } = options;
  const { deadlineMs } = config.policy;
  return servedPolicies(config)
    .filter(({ role }) => role === "shadow")
    .map((place) => {
      const about = { ...options, name: place.name, layer: place.base };
      return { place, shadow: new Shadow({ ...about, deadlineMs }, options.layers()) };
    });
}

const notOfPolicy: ReadonlySet<string> = new Set([
  "budget_exhausted",
  "invalid_cost",
  "state_unavailable",
]);

/** What the gateway refused by itself, or never put before the layers, no shadow would have changed. */
function isPolicyAnswer({ decided }: ShadowedAction): boolean {
  const { input, combined } = decided;
  return input !== undefined && !combined.answer.reasons.some((code) => notOfPolicy.has(code));
}
