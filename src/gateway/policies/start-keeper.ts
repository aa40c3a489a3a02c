/**
 * The keeper of one bundle, from its start: what it has goes to whoever uses it, what changes is
 * recorded, and where nothing can be had that is told, with what it means for calls.
 */
import type { GatewayConfig } from "../../config/config.ts";
import type { PlaceWithPolicy } from "../../config/policy-places.ts";
import type { Clock, Log, NewId } from "../../contract/ambient.ts";
import type { Bundle, BundleActivation, BundleChange } from "../../contract/bundle.ts";
import type { DecisionLog } from "../../contract/record.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { hasGrants } from "./has-grants.ts";

/** A server or layer, or what is tried beside it, and where its policy comes from. */
export type KeptPlace = Pick<PlaceWithPolicy, "name" | "base" | "role" | "kind" | "policy">;

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
export type OpenKeeper = (place: KeptPlace, hands: PolicyHands) => Promise<PolicyKeeper>;

export interface StartKeeperOptions {
  readonly config: GatewayConfig;
  readonly openKeeper: OpenKeeper;
  readonly decisionLog: Pick<DecisionLog, "note">;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
}

/**
 * Opens a keeper and starts it; resolves when a bundle is active or none can be had for now, and
 * never rejects.
 *
 * @param activate - what becomes of a bundle
 * @param opened - told of the keeper before it starts, so that it can be closed
 */
export async function startKeeper(
  options: StartKeeperOptions,
  place: KeptPlace,
  activate: PolicyHands["activate"],
  opened: (keeper: PolicyKeeper) => void,
): Promise<void> {
  const { log, openKeeper } = options;
  const about = aboutOf(place);
  let isActive = false;
  try {
    const keeper = await openKeeper(place, {
      activate: async (bundle) => {
        const activation = await activate(bundle);
        if (activation.ok) isActive = bundle !== undefined;
        if (activation.ok && bundle !== undefined) tellActive(options, place, bundle);
        return activation;
      },
      record: (change) => record(options, place, change),
    });
    opened(keeper);
    await keeper.start();
    if (!isActive) log.error(about, notLoaded);
  } catch (thrown) {
    log.error({ ...about, code: codeOf(thrown), reason: messageOf(thrown) }, notLoaded);
  }
}

const notLoaded = "policy bundle not loaded";

/** What it means for calls that there is no bundle. */
function aboutOf({ name: layer, role }: KeptPlace): object {
  switch (role) {
    case "policy":
      return { layer, consequence: "its calls are denied" };
    case "shadow":
      return { layer, consequence: "nothing is compared" };
    case "canary":
      return { layer, consequence: "the policy beside it decides alone" };
  }
}

function tellActive(
  { config, log }: StartKeeperOptions,
  { name: layer, base, role }: KeptPlace,
  bundle: Bundle,
): void {
  const { revision, digest, origin, metadata } = bundle;
  log.info({ layer, revision, digest, origin }, "policy bundle active");
  if (bundle.isOpaque === true) log.warn({ layer }, "policy bundle is opaque; nobody can read it");
  const isIdle = role === "policy" && bundle.kind === "server" && hasGrants(metadata);
  if (isIdle && config.servers.get(base)?.defaultEffect === "allow") {
    log.warn({ layer }, "default has no effect: the policy has rules that grant");
  }
  if (metadata["name"] !== undefined) return;
  log.warn({ layer }, "policy bundle has no name of its own and would fit any server");
}

/** A set that decides is not given back because it could not be written down; that is told. */
async function record(
  { config, clock, decisionLog, log, newId }: StartKeeperOptions,
  { name: layer, kind: layerKind, policy }: KeptPlace,
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
