/**
 * How the gateway opens the keepers of its policies, and has them keep to another lock. The bundle
 * stage is loaded with the first of them, after the greeting was answered.
 */
import type { SourceLock } from "../../bundle/lock/match-lock.ts";
import type { RelockingKeeper } from "../../bundle/lock/relocking-keeper.ts";
import { systemClock } from "../../config/ambient.ts";
import { messageOf } from "../../errors.ts";
import type { OpenKeeper } from "../../gateway/policies/start-keeper.ts";
import type { BundleSetting } from "../bundle/gateway-bundles.ts";

export interface KeeperSetting extends BundleSetting {
  readonly stateDir: string;
  /** Of the configuration, for those that replay what was recorded. */
  readonly configPath: string;
  /** What the lock says at first, by server id or layer name. */
  readonly locks: ReadonlyMap<string, SourceLock>;
  /** Told which source failed, and of bundles that were refused. */
  readonly onFailure: (layer: string) => void;
}

/** What the lock says, by server id or layer name. */
type Locks = ReadonlyMap<string, SourceLock>;

export interface PolicyKeepers {
  readonly open: OpenKeeper;
  /** Keeps every source to this lock; resolves when all bundles are active that can be. */
  readonly relock: (locks: Locks) => Promise<void>;
}

/** Opens keepers with what the configuration says of their sources. */
export function createPolicyKeepers(setting: KeeperSetting): PolicyKeepers {
  const keepers = new Map<string, RelockingKeeper>();
  let locks = setting.locks;
  let opened: Promise<OpenKeeper> | undefined;
  return {
    open: async (place, hands) => {
      const open = await (opened ??= openBundleStage(setting, () => locks, keepers));
      return await open(place, hands);
    },
    relock: async (next) => {
      locks = next;
      await Promise.all(
        [...keepers].map(([layer, keeper]) => relock(setting, layer, keeper, next)),
      );
    },
  };
}

/** One that cannot be had keeps nobody else from what they have to be. */
async function relock(
  { log }: KeeperSetting,
  layer: string,
  keeper: RelockingKeeper,
  locks: Locks,
): Promise<void> {
  try {
    await keeper.relock(locks.get(layer));
  } catch (thrown) {
    log.error({ layer, reason: messageOf(thrown) }, "policy bundle not moved with the lock");
  }
}

async function openBundleStage(
  setting: KeeperSetting,
  locksNow: () => Locks,
  keepers: Map<string, RelockingKeeper>,
): Promise<OpenKeeper> {
  const { openKeeper } = await import("../../bundle/life/open-keeper.ts");
  const { RelockingKeeper } = await import("../../bundle/lock/relocking-keeper.ts");
  const { bundleDependencies } = await import("../bundle/gateway-bundles.ts");
  const { testSources } = await import("../bundle/build-sources.ts");
  const { createVet } = await import("./vet-by-replay.ts");
  const { log, paths, stateDir } = setting;
  const dependencies = {
    ...bundleDependencies(setting),
    cachePath: paths.cacheDir,
    place: { stateDir, clock: systemClock },
    test: testSources,
    clock: systemClock,
    random: Math.random,
  };
  return async ({ name: layer, base, kind, policy }, hands) => {
    const { reference, trust, cadence, opaque } = policy;
    const keeper = new RelockingKeeper({
      layer,
      lock: locksNow().get(layer),
      hands,
      log,
      open: async (lock, { activate, record }) => {
        const { locked, ...limits } = lock ?? { locked: undefined };
        const wanted = { name: base, kind, opaque };
        const about = { wanted, layer, reference, trust, ...cadence };
        const vet = createVet({ ...setting, layer: base, cadence });
        const onFailure = (): void => setting.onFailure(layer);
        const deps = { ...dependencies, vet, activate, record, onFailure };
        return await openKeeper({ ...about, locked, ...limits }, deps);
      },
    });
    keepers.set(layer, keeper);
    return keeper;
  };
}
