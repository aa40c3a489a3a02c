/**
 * The waivers that the active overrides bundles state whatever the call is: each bundle is asked
 * about a call of nothing in particular. One that is not here, or cannot be used any more, is said
 * and left out.
 */
import type { Bundle } from "../../contract/bundle.ts";
import type { GatewayConfig } from "../../config/config.ts";
import type { Waiver } from "../../contract/layer.ts";
import { systemClock } from "../../config/ambient.ts";
import { messageOf } from "../../errors.ts";
import { createPolicyEngine } from "../../policy/engine/policy-engine.ts";
import { nothingInParticular } from "../../policy/input/nothing-in-particular.ts";
import { checkKept } from "../bundle/check-kept.ts";
import { openKeptPlace } from "../bundle/policy-place.ts";
import { loadConfigFor } from "../common-options.ts";
import type { CliIo } from "../io.ts";

export interface StatedWaiver {
  readonly layer: string;
  readonly waiver: Waiver;
}

export interface StatedWaivers {
  readonly stated: readonly StatedWaiver[];
  /** Digests of the overrides bundles that were asked, by layer; `undefined` where none could be. */
  readonly asked: ReadonlyMap<string, string | undefined>;
}

/** What is active on this machine, layer after layer. */
export async function statedWaivers(
  io: CliIo,
  configPath: string | undefined,
): Promise<StatedWaivers> {
  const { config } = loadConfigFor(io, configPath);
  const bundles: Bundle[] = [];
  const asked = new Map<string, string | undefined>();
  for (const { name, kind } of config.layers) {
    if (kind !== "overrides") continue;
    const bundle = await activeBundle(io, configPath, name);
    asked.set(name, bundle?.digest);
    if (bundle !== undefined) bundles.push({ ...bundle, name });
  }
  return { stated: bundles.length === 0 ? [] : await askAll(config, bundles), asked };
}

async function activeBundle(
  io: CliIo,
  configPath: string | undefined,
  name: string,
): Promise<Bundle | undefined> {
  const place = await openKeptPlace(io, configPath, name);
  const { active } = place.history;
  if (active === null) return undefined;
  try {
    return (await checkKept(io, place, active)).bundle;
  } catch (thrown) {
    io.err(`warning: layer "${name}" was not asked for its waivers: ${messageOf(thrown)}`);
    return undefined;
  }
}

async function askAll(
  config: GatewayConfig,
  bundles: readonly Bundle[],
): Promise<readonly StatedWaiver[]> {
  const engine = createPolicyEngine({ ...config.policy, spare: false });
  try {
    await engine.activate(
      bundles.map((bundle) => ({ name: bundle.name, kind: "overrides", bundle })),
    );
    const timeMs = systemClock.nowMs();
    const { agent, user, environment } = config;
    const parts = nothingInParticular({ agent, user, environment }, timeMs);
    const { verdicts } = await engine.decide({ server: "", parts, timeMs });
    return verdicts.flatMap((verdict) =>
      verdict.ok && verdict.layer.kind === "overrides"
        ? verdict.output.waive.map((waiver) => ({ layer: verdict.layer.name, waiver }))
        : [],
    );
  } finally {
    await engine.close();
  }
}
