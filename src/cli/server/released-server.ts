/**
 * What the commands on releases share: the server that they name, with a policy that can be had by
 * its digest, and the lock that they change.
 */
import { dirname } from "node:path";
import { readLock } from "../../bundle/lock/lock-file.ts";
import type { GatewayLock } from "../../bundle/lock/lock-document.ts";
import { emptyLock } from "../../bundle/lock/lock-document.ts";
import type { BundleHistory, HistoryPlace } from "../../bundle/life/bundle-history.ts";
import { readHistory } from "../../bundle/life/bundle-history.ts";
import { parseReference } from "../../bundle/reference.ts";
import type { GatewayConfig, PolicySource, ServerConfig } from "../../config/config.ts";
import { lockPathOf } from "../../config/lock-path.ts";
import { basePlaces } from "../../config/policy-places.ts";
import { resolveStatePaths } from "../../config/state-paths.ts";
import type { LayerKind } from "../../contract/bundle.ts";
import { historyKey, historyPlace } from "../bundle/policy-place.ts";
import { loadConfigFor } from "../common-options.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import { findServer } from "./find-server.ts";

/** A source of policy that a release may bind. */
export interface BoundSource {
  readonly name: string;
  readonly kind: LayerKind;
  readonly policy: PolicySource;
}

export interface ReleasedServer {
  readonly config: GatewayConfig;
  readonly server: ServerConfig;
  readonly source: BoundSource;
  /** Folder of the configuration and its lock. */
  readonly folder: string;
  readonly lockPath: string;
  readonly lock: GatewayLock;
  readonly state: HistoryPlace;
}

/**
 * Opens the server that a command names; asks nobody.
 *
 * @throws CliError usage, where its policy cannot be bound; BundleError `bundle_lock_invalid`
 */
export function openReleasedServer(
  io: CliIo,
  configPath: string | undefined,
  name: string,
): ReleasedServer {
  const { config } = loadConfigFor(io, configPath);
  const server = findServer(config, name);
  const source = boundSource(config, name);
  const lockPath = lockPathOf(config.path);
  return {
    config,
    server,
    source,
    folder: dirname(config.path),
    lockPath,
    lock: readLock(lockPath) ?? emptyLock,
    state: historyPlace(resolveStatePaths(io.env, io.cwd)),
  };
}

/**
 * The source of a server or layer that a release names.
 *
 * @throws CliError usage, where it has none that can be asked for a digest
 */
export function boundSource(config: GatewayConfig, name: string): BoundSource {
  const found = basePlaces(config).find((place) => place.name === name);
  if (found?.policy === undefined) {
    throw new CliError(
      exitCodes.usage,
      `expected "${name}" to be a server or layer with a policy, since a release binds its bundle, found none`,
    );
  }
  const { scheme } = parseReference(found.policy.reference);
  if (scheme === "oci" || scheme === "oci-layout") return { ...found, policy: found.policy };
  throw new CliError(
    exitCodes.usage,
    `expected the policy of "${name}" to be at oci:// or oci-layout:, where a bundle can be had by its digest, found ${scheme}:; push it with bundle push`,
  );
}

/**
 * What is kept of a source that nobody holds: what somebody holds goes before the lock, so a release
 * would not have its bundle.
 *
 * @throws CliError usage
 */
export async function freeHistory(
  state: HistoryPlace,
  { name, policy }: BoundSource,
): Promise<BundleHistory> {
  const history = await readHistory(state, historyKey(name, policy.reference));
  const { hold } = history;
  if (hold === null) return history;
  throw new CliError(
    exitCodes.usage,
    `expected "${name}" not to be held, found it held at ${hold.digest} since ${hold.at}; run bundle resume ${name} first`,
  );
}
