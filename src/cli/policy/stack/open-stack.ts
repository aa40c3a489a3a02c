/**
 * All layers of a configuration in an engine, as the gateway would have them, without a gateway: no
 * server is started, nothing is recorded, nobody is asked.
 */
import type { SourceCheckDeps } from "../../../bundle/lock/lock-source.ts";
import { checkSource } from "../../../bundle/lock/lock-source.ts";
import type { GatewayConfig } from "../../../config/config.ts";
import type { PlaceWithPolicy } from "../../../config/policy-places.ts";
import { basePlaces } from "../../../config/policy-places.ts";
import type { Bundle } from "../../../contract/bundle.ts";
import type { EngineLayer, PolicyEngine } from "../../../policy/engine/policy-engine.ts";
import { createPolicyEngine } from "../../../policy/engine/policy-engine.ts";
import type { LockedConfig } from "../../locked-config.ts";

/** What cases are decided by. */
export interface Stack {
  readonly config: GatewayConfig;
  readonly engine: PolicyEngine;
  /** The active set. */
  readonly layers: readonly EngineLayer[];
}

/** A case says what is decided, not how fast: the machines that test are busy ones. */
const deadlineMs = 10_000;

/**
 * Opens the bundles as `serve` would, with their locks, signatures and tests, and hands them to `run`.
 *
 * @throws BundleError, EngineError where one of them would not be active
 */
export async function withStack<Result>(
  { config, locks }: LockedConfig,
  dependencies: SourceCheckDeps,
  run: (stack: Stack) => Promise<Result>,
): Promise<Result> {
  const layers: EngineLayer[] = [];
  for (const { policy, ...about } of basePlaces(config)) {
    if (about.isDisabled) continue;
    const { name, kind } = about;
    const place = policy && { ...about, policy };
    const bundle = place && (await openPlace(place, locks, dependencies));
    layers.push({ name, kind, bundle, defaultEffect: defaultEffectOf(config, name, kind) });
  }
  const engine = createPolicyEngine({ ...config.policy, deadlineMs, spare: false });
  try {
    for (const result of await engine.activate(layers)) if (!result.ok) throw result.error;
    return await run({ config, engine, layers });
  } finally {
    await engine.close();
  }
}

async function openPlace(
  { name, kind, policy }: PlaceWithPolicy,
  locks: LockedConfig["locks"],
  dependencies: SourceCheckDeps,
): Promise<Bundle> {
  const { reference, trust, opaque } = policy;
  const { locked, ...limits } = locks.get(name) ?? { locked: undefined };
  const version = locked?.version;
  const about = { wanted: { name, kind, opaque }, reference, trust, ...limits };
  const check = { ...about, version, isPinned: version !== undefined };
  return (await checkSource(check, dependencies)).bundle;
}

function defaultEffectOf(
  { servers }: GatewayConfig,
  name: string,
  kind: EngineLayer["kind"],
): "deny" | "allow" {
  return kind === "server" ? (servers.get(name)?.defaultEffect ?? "deny") : "deny";
}
