/**
 * The policies of a gateway over their life: a keeper for each server and layer, the set that decides,
 * and what follows from another set: verdicts on visibility are asked anew, clients are told that
 * lists may have changed, and the change is recorded. A bundle that fails a check is never asked for
 * a decision: its server, or with an organisation's layer every call, is denied with `no_policy`
 * until it is there.
 */
import type { GatewayConfig } from "../../config/config.ts";
import type { PolicyPlace } from "../../config/policy-places.ts";
import { policyPlaces } from "../../config/policy-places.ts";
import type { EngineLayer, PolicyEngine } from "../../policy/engine/policy-engine.ts";
import { ActivePolicies } from "./active-policies.ts";
import type { PolicyKeeper, StartKeeperOptions } from "./start-keeper.ts";
import { startKeeper } from "./start-keeper.ts";

export interface KeepPoliciesOptions extends StartKeeperOptions {
  readonly engine: PolicyEngine;
  /** Resolves when sources may be asked. */
  readonly mayStart: Promise<void>;
  /** Another set of bundles decides. */
  readonly onChange: () => void;
}

export interface KeptPolicies {
  /** Resolves when the first set decides; it never rejects. */
  readonly ready: Promise<void>;
  /** The set that decides; another array with each set. */
  readonly layers: () => readonly EngineLayer[];
  readonly close: () => Promise<void>;
}

/** Starts to keep the policies of a configuration. */
export function keepPolicies(options: KeepPoliciesOptions): KeptPolicies {
  const places = policyPlaces(options.config).filter(
    ({ isDisabled, role }) => !isDisabled && role !== "shadow",
  );
  const active = new ActivePolicies({
    layers: places.map((place) => emptyLayer(options.config, place)),
    engine: options.engine,
    onChange: options.onChange,
  });
  const keepers: PolicyKeeper[] = [];
  const starts = places.map(async ({ policy, ...place }) => {
    const { name } = place;
    await options.mayStart;
    if (policy === undefined) {
      options.log.warn({ layer: name }, "server has no policy; its calls are denied");
    } else {
      const activate = active.activate.bind(active, name);
      await startKeeper(options, { ...place, policy }, activate, (one) => keepers.push(one));
    }
    active.heardOf(name);
  });
  return {
    ready: Promise.all([options.mayStart, active.first]).then(() => undefined),
    layers: () => active.layers,
    close: async () => {
      active.close();
      await Promise.all(keepers.map((keeper) => keeper.close()));
      await Promise.all(starts);
    },
  };
}

function emptyLayer(config: GatewayConfig, { name, base, role, kind }: PolicyPlace): EngineLayer {
  const defaultEffect = kind === "server" ? defaultEffectOf(config, base) : "deny";
  const layer = { name, kind, bundle: undefined, defaultEffect } as const;
  return role === "canary" ? { ...layer, canaryOf: base } : layer;
}

function defaultEffectOf({ servers }: GatewayConfig, name: string): "deny" | "allow" {
  return servers.get(name)?.defaultEffect ?? "deny";
}
