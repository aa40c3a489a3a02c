/**
 * All canaries of a configuration, beside the set of bundles that decides.
 */
import type { GatewayConfig } from "../../config/config.ts";
import { policyPlaces } from "../../config/policy-places.ts";
import type { Digest } from "../../contract/bundle.ts";
import type { EngineLayer } from "../../policy/engine/policy-engine.ts";
import { unaskedLayers } from "../policies/unasked-layers.ts";
import type { Canaries } from "./canaries.ts";
import { noCanaries } from "./canaries.ts";
import type { CanaryAborts, RunningCanaryOptions } from "./running-canary.ts";
import { RunningCanary } from "./running-canary.ts";

export interface RunCanariesOptions extends Pick<
  RunningCanaryOptions,
  "key" | "onChange" | "clock" | "log"
> {
  /** Default: in this process alone. */
  readonly aborts?: CanaryAborts | undefined;
  readonly config: GatewayConfig;
  /** The set that decides; canaries are in it. */
  readonly layers: () => readonly EngineLayer[];
  /** Resolves when the state folder may be read. */
  readonly mayStart: Promise<void>;
}

/** How soon it is seen that another gateway, or somebody, decided about a canary. */
const watchMs = 400;

/** Starts the canaries of a configuration. */
export function runCanaries(options: RunCanariesOptions): Canaries {
  const { config } = options;
  const running = canariesOf(options);
  if (running.length === 0) return noCanaries(config);
  const lookAll = async (): Promise<void> => {
    await Promise.all(running.map((canary) => canary.look()));
  };
  const ready = options.mayStart.then(lookAll);
  const timer = setInterval(() => void ready.then(lookAll), watchMs).unref();
  return {
    unasked: (principal, server) => {
      const layers = unaskedLayers(config, principal.agent, server);
      const idle = running.filter(
        (canary) => layers.includes(canary.place.base) || canary.draw(principal) === undefined,
      );
      return [...layers, ...idle.map(({ place }) => place.name)];
    },
    note: (principal, runs, isDenied) => {
      for (const { layer, isFailed, isEnd, evalMs } of runs) {
        const canary = running.find(({ place }) => place.name === layer.name);
        const token = canary?.draw(principal)?.token;
        if (canary === undefined || token === undefined) continue;
        canary.add(layer.digest, { token, isFailed, evalMs, isDenied: isEnd || isDenied(layer) });
      }
    },
    ready,
    close: async () => {
      clearInterval(timer);
      await ready.then(lookAll);
    },
  };
}

function canariesOf({
  config,
  layers,
  aborts = createMemory(),
  ...rest
}: RunCanariesOptions): readonly RunningCanary[] {
  return policyPlaces(config).flatMap(({ role, isDisabled, policy, ...place }) => {
    const { canary } =
      config.servers.get(place.base) ?? config.layers.find(({ name }) => name === place.base) ?? {};
    if (role !== "canary" || isDisabled || policy === undefined || canary === undefined) return [];
    const digest = (): Digest | undefined =>
      layers().find(({ name }) => name === place.name)?.bundle?.digest;
    const about = { ...place, reference: policy.reference };
    return [new RunningCanary({ ...rest, aborts, place: about, setting: canary, digest })];
  });
}

function createMemory(): CanaryAborts {
  const kept = new Map<string, string>();
  return {
    read: async ({ name }) => kept.get(name),
    keep: async ({ name }, { digest }) => void kept.set(name, digest),
  };
}
