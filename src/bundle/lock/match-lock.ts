/**
 * A configuration beside its lock: where each source of policy is held, which release each server has
 * to be, and what does not fit together. Pure. What a release binds has to be locked as it says, with
 * or without `--frozen`: a server never starts with another release's policy.
 */
import type { ConfigPath } from "../../config/config-document.ts";
import type { GatewayConfig, ServerConfig } from "../../config/config.ts";
import { lockName } from "../../config/lock-path.ts";
import type { PlaceWithPolicy } from "../../config/policy-places.ts";
import { policyPlaces, servedPolicies } from "../../config/policy-places.ts";
import { agentProblem } from "../../contract/agent-release.ts";
import type { Digest } from "../../contract/bundle.ts";
import type { LockedBundle } from "../life/keeping.ts";
import { usesRelease } from "../release/apply-release.ts";
import type { Release } from "../release/release-document.ts";
import { asDigest, boundBundles } from "../release/release-document.ts";
import type { GatewayLock, LockedSource } from "./lock-document.ts";
import { emptyLock } from "./lock-document.ts";
import { isSameReference } from "./portable-reference.ts";

/** What the lock says about one source. */
export interface SourceLock {
  readonly locked: LockedBundle;
  readonly lowestRevision: string | undefined;
  /** Where a release binds it nobody can choose another. */
  readonly onlyDigest: Digest | undefined;
}

export interface LockFinding {
  readonly path: ConfigPath;
  readonly message: string;
}

export interface LockMatch {
  /** By server id or layer name. */
  readonly sources: ReadonlyMap<string, SourceLock>;
  /** By server id. */
  readonly releases: ReadonlyMap<string, Release>;
  /** What keeps the gateway from starting. */
  readonly problems: readonly LockFinding[];
  readonly warnings: readonly LockFinding[];
}

/** Says how a lock applies; `undefined`: there is none. */
export function matchLock(
  config: GatewayConfig,
  folder: string,
  lock: GatewayLock | undefined,
  isFrozen: boolean,
): LockMatch {
  const { bundles, servers } = lock ?? emptyLock;
  const fitting = new Map<string, LockedSource>();
  const misfits: LockFinding[] = [];
  for (const place of servedPolicies(config)) {
    const entry = own(bundles, place.name);
    const message = misfit(place, entry, folder);
    if (entry !== undefined && message === undefined) fitting.set(place.name, entry);
    else if (message !== undefined && (isFrozen || entry !== undefined)) {
      misfits.push({ path: place.path, message });
    }
  }
  const enabled = [...config.servers.values()].filter(({ disabled }) => !disabled);
  const released = enabled.flatMap((server) => {
    const release = own(servers, server.id)?.release;
    return release === undefined ? [] : [{ server, release }];
  });
  const bound = new Set(released.flatMap(({ release }) => [...boundBundles(release).keys()]));
  const problems = [
    ...enabled.flatMap((server) => missingRelease(server, own(servers, server.id)?.release)),
    ...released.flatMap(({ server, release }) => brokenRelease(server, release, fitting)),
    ...boundCanaries(config, bound),
  ];
  const strangers = strangersOf(config, { bundles, servers });
  const shutOut = released.flatMap(({ server, release }) => shutOutAgent(config, server, release));
  return {
    sources: new Map([...fitting].map(([name, entry]) => [name, lockOf(entry, bound.has(name))])),
    releases: new Map(released.map(({ server, release }) => [server.id, release])),
    problems: isFrozen ? [...misfits, ...problems] : problems,
    warnings: [...(isFrozen ? [] : misfits), ...strangers, ...shutOut],
  };
}

function misfit(
  { name, path, policy: { reference } }: PlaceWithPolicy,
  entry: LockedSource | undefined,
  folder: string,
): string | undefined {
  const remedy = `run bundle lock ${name}`;
  const where = path.join(".");
  if (entry === undefined) {
    return `${where}: expected an entry "${name}" in ${lockName}, found none; ${remedy}`;
  }
  if (isSameReference(folder, entry.reference, reference)) return undefined;
  return `${where}: expected the entry "${name}" of ${lockName} to be for ${reference}, found ${entry.reference}; it is not used; ${remedy}`;
}

function missingRelease(
  server: ServerConfig,
  release: Release | undefined,
): readonly LockFinding[] {
  if (release !== undefined) return [];
  const { id, releaseReference } = server;
  const isAsked = releaseReference !== undefined || usesRelease(server);
  if (!isAsked) return [];
  const key = releaseReference === undefined ? "args" : "release";
  const message = `servers.${id}.${key}: expected a release of "${id}" in ${lockName}, found none; run server upgrade ${id}`;
  return [{ path: ["servers", id, key], message }];
}

function brokenRelease(
  { id }: ServerConfig,
  release: Release,
  fitting: ReadonlyMap<string, LockedSource>,
): readonly LockFinding[] {
  const path = ["servers", id];
  const at = `servers.${id}: the release in ${lockName}`;
  if (release.server !== id) {
    return [{ path, message: `${at} is for "${release.server}"; run server upgrade ${id}` }];
  }
  return [...boundBundles(release)].flatMap(([name, digest]) => {
    const found = fitting.get(name)?.digest;
    if (found === digest) return [];
    const message = `${at} binds "${name}" to ${digest}, and the lock has it at ${found ?? "nothing"}; run server upgrade ${id}, or bundle lock ${name}`;
    return [{ path, message }];
  });
}

/** What a release binds is the only bundle that may have a say for its place; a shadow has none. */
function boundCanaries(config: GatewayConfig, bound: ReadonlySet<string>): readonly LockFinding[] {
  return servedPolicies(config).flatMap(({ base, role, path }) => {
    if (role !== "canary" || !bound.has(base)) return [];
    const message = `${path.join(".")}: expected no canary, since a release in ${lockName} binds the bundle of "${base}"; try it as shadow, or remove it`;
    return [{ path, message }];
  });
}

/** Over HTTP other agents may come; this one is who every client on stdio is. */
function shutOutAgent(
  { agent }: Pick<GatewayConfig, "agent">,
  { id }: ServerConfig,
  { agents }: Release,
): readonly LockFinding[] {
  const problem = agentProblem(agents && new Map(Object.entries(agents)), agent);
  if (problem === undefined) return [];
  return [{ path: ["agent"], message: `servers.${id}: ${problem}; its calls are denied` }];
}

function strangersOf(
  config: GatewayConfig,
  lock: Pick<GatewayLock, "bundles" | "servers">,
): readonly LockFinding[] {
  const known = new Set(policyPlaces(config).map(({ name }) => name));
  const names = new Set([...Object.keys(lock.bundles), ...Object.keys(lock.servers)]);
  return [...names]
    .filter((name) => !known.has(name))
    .map((name) => ({
      path: ["servers"],
      message: `${lockName} has an entry for "${name}", which is not configured; bundle lock removes it`,
    }));
}

function lockOf(entry: LockedSource, isBound: boolean): SourceLock {
  const digest = asDigest(entry.digest);
  return {
    locked: { digest, version: entry.version },
    lowestRevision: entry.lowest_revision,
    onlyDigest: isBound ? digest : undefined,
  };
}

/** A name of the file may be one that every object has. */
function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
