/**
 * `bundle lock [NAME…]`: writes down, next to the configuration, which bundle every source has now,
 * after it was checked as a gateway would. A server with a release keeps what the release binds:
 * program, pins and bundle move together or not at all.
 */
import { dirname } from "node:path";
import { BundleError } from "../../bundle/bundle-error.ts";
import { openCache } from "../../bundle/cache.ts";
import { readHistory } from "../../bundle/life/bundle-history.ts";
import { revokedIn } from "../../bundle/life/history-changes.ts";
import { keepBundle } from "../../bundle/life/kept-bundles.ts";
import { isOrdered } from "../../bundle/life/check-locked.ts";
import type { GatewayLock, LockedSource } from "../../bundle/lock/lock-document.ts";
import { emptyLock, formatLock } from "../../bundle/lock/lock-document.ts";
import { changeLock, readLock } from "../../bundle/lock/lock-file.ts";
import { checkSource, lockEntry } from "../../bundle/lock/lock-source.ts";
import { systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { lockPathOf } from "../../config/lock-path.ts";
import type { PlaceWithPolicy } from "../../config/policy-places.ts";
import { servedPolicies } from "../../config/policy-places.ts";
import { resolveStatePaths } from "../../config/state-paths.ts";
import { loadConfigFor } from "../common-options.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printList } from "../print.ts";
import { sourceCheckDeps } from "./source-check-deps.ts";
import { historyKey, historyPlace } from "./policy-place.ts";

export interface LockOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  /** Writes nothing; exit code 5 where it would. */
  readonly check?: boolean;
  /** What is locked now becomes the lowest acceptable revision. */
  readonly lowest?: boolean;
}

interface LockRow {
  readonly name: string;
  readonly state: "locked" | "moved" | "unchanged" | "released" | "removed";
  readonly digest: string | null;
  readonly revision: string | null;
  readonly previous: string | null;
}

/** Locks the sources that are named, or all; prints what became of each. */
export async function lockCommand(
  io: CliIo,
  names: readonly string[],
  { config: configPath, output, check = false, lowest = false }: LockOptions,
): Promise<void> {
  const { config } = loadConfigFor(io, configPath);
  const path = lockPathOf(config.path);
  const sources = choose(config, names);
  const isWhole = names.length === 0;
  const next = async (before: GatewayLock): Promise<GatewayLock> => {
    const bundles: Record<string, LockedSource> = {};
    for (const source of sources) {
      bundles[source.name] = await lockOne(io, config, before, source, lowest);
    }
    return merge(config, before, bundles, isWhole);
  };
  const { before = emptyLock, after } = check
    ? await lookAt(path, next)
    : await changeLock(historyPlace(resolveStatePaths(io.env, io.cwd)), path, next);
  const rows = rowsOf(before, after);
  printList(io, output, rows, columns);
  const changed = formatLock(before) !== formatLock(after);
  if (!check) io.err(changed ? `wrote ${path}` : `${path} is up to date`);
  else if (changed) {
    const moved = rows.filter(({ state }) => state !== "unchanged" && state !== "released");
    const list = moved.map(({ name }) => name).join(", ");
    const message = `expected ${path} to be up to date, found ${list === "" ? "other details" : list} to change; run bundle lock`;
    throw new CliError(exitCodes.gateTripped, message);
  }
}

async function lookAt(path: string, next: (before: GatewayLock) => Promise<GatewayLock>) {
  const before = readLock(path);
  return { before, after: await next(before ?? emptyLock) };
}

function choose(config: GatewayConfig, names: readonly string[]): readonly PlaceWithPolicy[] {
  const all = servedPolicies(config);
  const missing = names.filter((name) => !all.some((source) => source.name === name));
  if (missing.length === 0) {
    return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
  }
  const known = all.map(({ name }) => name).join(", ");
  throw new CliError(
    exitCodes.usage,
    `expected servers and layers with a policy, found ${missing.map((name) => JSON.stringify(name)).join(", ")}; the configuration has ${known === "" ? "none" : known}`,
  );
}

async function lockOne(
  io: CliIo,
  config: GatewayConfig,
  before: GatewayLock,
  { name, base, kind, policy }: PlaceWithPolicy,
  isLowest: boolean,
): Promise<LockedSource> {
  const known = Object.hasOwn(before.bundles, name) ? before.bundles[name] : undefined;
  if (isBound(before, name) && known !== undefined) return known;
  const { reference, trust, opaque } = policy;
  const state = historyPlace(resolveStatePaths(io.env, io.cwd));
  const history = await readHistory(state, historyKey(name, reference));
  const limits = { lowestRevision: known?.lowest_revision, revoked: revokedIn(history) };
  const about = { reference, trust, version: undefined, isPinned: true };
  const wanted = { wanted: { name: base, kind, opaque }, ...about };
  const deps = sourceCheckDeps(io, config);
  const candidate = await checkSource({ ...wanted, ...limits }, deps);
  // A start without the source has it.
  await keepBundle(openCache(deps.cachePath, deps.log), candidate.fetched);
  const now = new Date(systemClock.nowMs()).toISOString();
  const entry = lockEntry(dirname(config.path), reference, candidate, known, now);
  if (!isLowest) return entry;
  if (isOrdered(entry.revision)) return { ...entry, lowest_revision: entry.revision };
  throw new BundleError(
    "bundle_manifest_invalid",
    `bundle "${name}": expected a semantic version as its revision for --lowest, found ${JSON.stringify(entry.revision)}`,
  );
}

/** By a release of its own, or of a server that names the layer. */
function isBound({ servers }: GatewayLock, name: string): boolean {
  return Object.values(servers).some(
    ({ release }) => release.server === name || Object.hasOwn(release.layers ?? {}, name),
  );
}

/** The whole lock forgets who is not configured any more. */
function merge(
  config: GatewayConfig,
  before: GatewayLock,
  bundles: Readonly<Record<string, LockedSource>>,
  isWhole: boolean,
): GatewayLock {
  if (!isWhole) return { ...before, bundles: { ...before.bundles, ...bundles } };
  const servers = Object.entries(before.servers).filter(([id]) => config.servers.has(id));
  return { ...before, bundles, servers: Object.fromEntries(servers) };
}

const columns = [
  { title: "NAME", cell: (row: LockRow) => row.name },
  { title: "STATE", cell: (row: LockRow) => row.state },
  { title: "REVISION", cell: (row: LockRow) => row.revision ?? "-" },
  { title: "DIGEST", cell: (row: LockRow) => row.digest?.slice(0, 19) ?? "-" },
  { title: "BEFORE", cell: (row: LockRow) => row.previous?.slice(0, 19) ?? "-" },
];

function rowsOf(before: GatewayLock, after: GatewayLock): readonly LockRow[] {
  const names = new Set([...Object.keys(after.bundles), ...Object.keys(before.bundles)]);
  return [...names].toSorted().map((name) => {
    const [was, is] = [before.bundles[name], after.bundles[name]];
    const { digest = null, revision = null } = is ?? {};
    return {
      name,
      state: stateOf(was, is, isBound(after, name)),
      digest,
      revision,
      previous: was?.digest ?? null,
    };
  });
}

function stateOf(
  was: LockedSource | undefined,
  is: LockedSource | undefined,
  isReleased: boolean,
): LockRow["state"] {
  if (is === undefined) return "removed";
  if (was === undefined) return "locked";
  if (isReleased) return "released";
  return JSON.stringify(was) === JSON.stringify(is) ? "unchanged" : "moved";
}
