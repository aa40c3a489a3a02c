/**
 * What the commands on the life of a bundle share: the server or layer that they name, where its
 * policy comes from, and what is kept of that source on this machine. Nobody is asked.
 */
import type { BundleHistory, HistoryKey, HistoryPlace } from "../../bundle/life/bundle-history.ts";
import { readHistory } from "../../bundle/life/bundle-history.ts";
import { formatReference, parseReference } from "../../bundle/reference.ts";
import { systemClock } from "../../config/ambient.ts";
import type { GatewayConfig, PolicySource } from "../../config/config.ts";
import type { PolicyPlace } from "../../config/policy-places.ts";
import { policyPlaces } from "../../config/policy-places.ts";
import type { StatePaths } from "../../config/state-paths.ts";
import { ensurePrivateDir, resolveStatePaths } from "../../config/state-paths.ts";
import type { LayerKind } from "../../contract/bundle.ts";
import { loadConfigFor } from "../common-options.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";

/** One server or layer, and what is kept of its source. */
export interface KeptPlace {
  readonly config: GatewayConfig;
  readonly paths: StatePaths;
  readonly state: HistoryPlace;
  readonly name: string;
  /** Server or layer whose name the bundle has to have. */
  readonly base: string;
  readonly kind: LayerKind;
  readonly policy: PolicySource;
  readonly key: HistoryKey;
  readonly history: BundleHistory;
}

/** What a source is known by in the state folder; the same for a gateway and for a command. */
export function historyKey(layer: string, reference: string): HistoryKey {
  return { layer, reference: formatReference(parseReference(reference)) };
}

/** Where histories are. */
export function historyPlace({ stateDir }: Pick<StatePaths, "stateDir">): HistoryPlace {
  return { stateDir: ensurePrivateDir(stateDir), clock: systemClock };
}

/**
 * Reads what is kept of the source of one server or layer.
 *
 * @throws CliError usage, where the configuration has none of that name or none with a policy
 */
export async function openKeptPlace(
  io: CliIo,
  configPath: string | undefined,
  name: string,
): Promise<KeptPlace> {
  const { config } = loadConfigFor(io, configPath);
  const places = policyPlaces(config);
  const found = places.find((place) => place.name === name);
  if (found === undefined) throw unknownName(name, places);
  const { base, kind, policy } = found;
  if (policy === undefined) throw withoutPolicy(name);
  const paths = resolveStatePaths(io.env, io.cwd);
  const state = historyPlace(paths);
  const key = historyKey(name, policy.reference);
  const about = { name, base, kind, policy, key };
  return { config, paths, state, ...about, history: await readHistory(state, key) };
}

function unknownName(name: string, places: readonly PolicyPlace[]): CliError {
  const known = places.map((place) => place.name).join(", ");
  return new CliError(
    exitCodes.usage,
    `expected a server or layer of the configuration, found "${name}"; it has ${known === "" ? "none" : known}`,
  );
}

function withoutPolicy(name: string): CliError {
  return new CliError(
    exitCodes.usage,
    `expected server "${name}" to have a policy, found none; set servers.${name}.policy`,
  );
}
