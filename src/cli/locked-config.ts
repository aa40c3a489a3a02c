/**
 * A configuration with its lock: what is locked and released is filled in, and what does not fit is
 * said at its place in the configuration. The part that reads locks is loaded where there is one.
 */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { LockFinding, SourceLock } from "../bundle/lock/match-lock.ts";
import type { GatewayConfig } from "../config/config.ts";
import { ConfigError, formatProblem } from "../config/config-error.ts";
import type { ConfigProblem } from "../config/config-error.ts";
import { lockPathOf } from "../config/lock-path.ts";
import type { LoadedConfig } from "../config/load-config.ts";

/** What is locked of a configuration. */
export interface LockedConfig extends LoadedConfig {
  /** By server id or layer name; empty without a lock. */
  readonly locks: ReadonlyMap<string, SourceLock>;
  /** What keeps a gateway from starting with this lock. */
  readonly problems: readonly ConfigProblem[];
}

/**
 * Fills in what the lock says.
 *
 * @param isFrozen - every source has to have its entry
 * @throws BundleError `bundle_lock_invalid`
 */
export async function withLock(loaded: LoadedConfig, isFrozen = false): Promise<LockedConfig> {
  const { config } = loaded;
  const path = lockPathOf(config.path);
  const isNeeded = isFrozen || existsSync(path);
  if (!isNeeded && !mayUseRelease(config)) return { ...loaded, locks: new Map(), problems: [] };
  const { readLock } = await import("../bundle/lock/lock-file.ts");
  const { matchLock } = await import("../bundle/lock/match-lock.ts");
  const { applyReleases } = await import("../bundle/release/apply-release.ts");
  const match = matchLock(config, dirname(path), readLock(path), isFrozen);
  const problemOf = ({ path, message }: LockFinding): ConfigProblem =>
    loaded.problemAt(path, message);
  return {
    ...loaded,
    config: applyReleases(config, match.releases),
    warnings: [...loaded.warnings, ...match.warnings.map(problemOf)],
    problems: match.problems.map(problemOf),
    locks: match.sources,
  };
}

/**
 * The same, where nothing may be wrong.
 *
 * @throws ConfigError `config_invalid`; BundleError `bundle_lock_invalid`
 */
export async function requireLock(loaded: LoadedConfig, isFrozen = false): Promise<LockedConfig> {
  const locked = await withLock(loaded, isFrozen);
  const { problems } = locked;
  if (problems.length === 0) return locked;
  const { path } = loaded.config;
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const lines = problems.map((problem) => formatProblem(path, problem));
  const message = `${count} with the lock\n${lines.join("\n")}`;
  throw new ConfigError("config_invalid", message, { path, problems });
}

function mayUseRelease({ servers }: GatewayConfig): boolean {
  return [...servers.values()].some(
    ({ releaseReference, transport }) =>
      releaseReference !== undefined ||
      (transport.kind === "stdio" &&
        [transport.command, ...transport.args].some((part) => part.includes("${release."))),
  );
}
