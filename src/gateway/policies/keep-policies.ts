/**
 * The policies of a gateway over their life: a keeper for each server and layer, the set that decides,
 * and what follows from another set: verdicts on visibility are asked anew, clients are told that
 * lists may have changed, and the change is recorded. A bundle that fails a check is never asked for
 * a decision: its server, or with an organisation's layer every call, is denied with `no_policy`
 * until it is there.
 */
import type { GatewayConfig, PolicySource } from "../../config/config.ts";
import { policyPlaces } from "../../config/policy-places.ts";
import type { Clock, Log, NewId } from "../../contract/ambient.ts";
import type { Bundle, BundleActivation, BundleChange, LayerKind } from "../../contract/bundle.ts";
import type { DecisionLog } from "../../contract/record.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { EngineLayer, PolicyEngine } from "../../policy/engine/policy-engine.ts";
import { ActivePolicies } from "./active-policies.ts";
import { hasGrants } from "./has-grants.ts";

/** A server or layer, and where its policy comes from. */
export interface PolicyPlace {
  readonly name: string;
  readonly kind: LayerKind;
  readonly policy: PolicySource;
}

/** What a keeper does with what it has. */
export interface PolicyHands {
  readonly activate: (bundle: Bundle | undefined) => Promise<BundleActivation>;
  readonly record: (change: BundleChange) => Promise<void>;
}

/** Keeps one bundle up to date. */
export interface PolicyKeeper {
  /** Resolves when a bundle is active, or none can be had for now. */
  readonly start: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opens a keeper; rejects where its source can never be read. */
export type OpenKeeper = (place: PolicyPlace, hands: PolicyHands) => Promise<PolicyKeeper>;

export interface KeepPoliciesOptions {
  readonly config: GatewayConfig;
  readonly engine: PolicyEngine;
  readonly openKeeper: OpenKeeper;
  readonly decisionLog: Pick<DecisionLog, "note">;
  /** Resolves when sources may be asked. */
  readonly mayStart: Promise<void>;
  /** Another set of bundles decides. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
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
  const places = policyPlaces(options.config).filter(({ isDisabled }) => !isDisabled);
  const active = new ActivePolicies({
    layers: places.map(({ name, kind }) => ({
      name,
      kind,
      bundle: undefined,
      defaultEffect: kind === "server" ? defaultEffectOf(options.config, name) : "deny",
    })),
    engine: options.engine,
    onChange: options.onChange,
  });
  const keepers = new Map<string, PolicyKeeper>();
  const starts = places.map(async ({ name, kind, policy }) => {
    await options.mayStart;
    if (policy === undefined) {
      options.log.warn({ layer: name }, "server has no policy; its calls are denied");
    } else await startOne(options, active, keepers, { name, kind, policy });
    active.heardOf(name);
  });
  return {
    ready: Promise.all([options.mayStart, active.first]).then(() => undefined),
    layers: () => active.layers,
    close: async () => {
      active.close();
      await Promise.all([...keepers.values()].map((keeper) => keeper.close()));
      await Promise.all(starts);
    },
  };
}

async function startOne(
  options: KeepPoliciesOptions,
  active: ActivePolicies,
  keepers: Map<string, PolicyKeeper>,
  place: PolicyPlace,
): Promise<void> {
  const { log, openKeeper } = options;
  const { name: layer } = place;
  let isActive = false;
  try {
    const keeper = await openKeeper(place, {
      activate: async (bundle) => {
        const activation = await active.activate(layer, bundle);
        if (activation.ok) isActive = bundle !== undefined;
        if (activation.ok && bundle !== undefined) tellActive(options, bundle);
        return activation;
      },
      record: (change) => record(options, place, change),
    });
    keepers.set(layer, keeper);
    await keeper.start();
    if (!isActive) log.error({ layer }, "policy bundle not loaded; its calls are denied");
  } catch (thrown) {
    const found = { layer, code: codeOf(thrown), reason: messageOf(thrown) };
    log.error(found, "policy bundle not loaded; its calls are denied");
  }
}

function tellActive({ config, log }: KeepPoliciesOptions, bundle: Bundle): void {
  const { name: layer, revision, digest, origin, metadata } = bundle;
  log.info({ layer, revision, digest, origin }, "policy bundle active");
  if (bundle.isOpaque === true) log.warn({ layer }, "policy bundle is opaque; nobody can read it");
  const isIdle = bundle.kind === "server" && hasGrants(metadata);
  if (isIdle && defaultEffectOf(config, layer) === "allow") {
    log.warn({ layer }, "default has no effect: the policy has rules that grant");
  }
  if (metadata["name"] !== undefined) return;
  log.warn({ layer }, "policy bundle has no name of its own and would fit any server");
}

function defaultEffectOf({ servers }: GatewayConfig, name: string): "deny" | "allow" {
  return servers.get(name)?.defaultEffect ?? "deny";
}

/** A set that decides is not given back because it could not be written down; that is told. */
async function record(
  { config, clock, decisionLog, log, newId }: KeepPoliciesOptions,
  { name: layer, kind: layerKind, policy }: PolicyPlace,
  change: BundleChange,
): Promise<void> {
  const { tenant } = config;
  const { reference } = policy;
  const about = { decisionId: newId(), timeMs: clock.nowMs(), tenant, layer, layerKind, reference };
  try {
    await decisionLog.note({ kind: "activation", ...about, ...change });
  } catch (thrown) {
    log.error({ layer, reason: messageOf(thrown) }, "change of policy could not be recorded");
  }
}
