/**
 * Puts a release in place. Everything that can fail is done before: every bundle that it binds is
 * checked and in the cache. Then, in this order: the record, durable; the lock, replaced whole, which
 * moves program and bundles; the pins. A crash before the lock leaves the old release. One after it
 * leaves tools with a pin of the old release denied until the command is repeated; what is allowed
 * then is in both.
 */
import type { KeptBundle } from "../../bundle/life/bundle-history.ts";
import { revokedIn } from "../../bundle/life/history-changes.ts";
import { changeLock } from "../../bundle/lock/lock-file.ts";
import type { LockedRelease, LockedSource } from "../../bundle/lock/lock-document.ts";
import { checkSource, lockEntry } from "../../bundle/lock/lock-source.ts";
import { moveRelease } from "../../bundle/lock/move-release.ts";
import { releasePlaceholder, usesRelease } from "../../bundle/release/apply-release.ts";
import type { Release } from "../../bundle/release/release-document.ts";
import { asDigest, boundBundles, releaseVersion } from "../../bundle/release/release-document.ts";
import { newId, systemClock } from "../../config/ambient.ts";
import { alignPins } from "../../mcp/catalog/tool-pins.ts";
import { historyKey } from "../bundle/policy-place.ts";
import { personOf } from "../person-of.ts";
import { refuseRevoked } from "../bundle/refuse-revoked.ts";
import { sourceCheckDeps } from "../bundle/source-check-deps.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printDocument } from "../print.ts";
import { withDecisionLog } from "../with-decision-log.ts";
import type { ReleasedServer } from "./released-server.ts";
import { boundSource, freeHistory } from "./released-server.ts";

/**
 * Checks every bundle of a release as a gateway would.
 *
 * @param isOffline - from the cache alone
 * @returns their entries of the lock, by server id or layer name
 * @throws BundleError
 */
export async function checkBundles(
  io: CliIo,
  { config, folder, lock, state }: ReleasedServer,
  release: Release,
  isOffline: boolean,
): Promise<Readonly<Record<string, LockedSource>>> {
  const deps = sourceCheckDeps(io, config);
  const now = new Date(systemClock.nowMs()).toISOString();
  const entries: Record<string, LockedSource> = {};
  for (const [name, digest] of boundBundles(release)) {
    const source = boundSource(config, name);
    const history = await freeHistory(state, source);
    refuseRevoked(name, history, digest);
    const { kind, policy } = source;
    const version = { id: digest };
    const known = Object.hasOwn(lock.bundles, name) ? lock.bundles[name] : undefined;
    const kept: KeptBundle = { digest, version, archive_bytes: null };
    const lowestRevision = known?.lowest_revision;
    const limits = { onlyDigest: digest, lowestRevision, revoked: revokedIn(history) };
    const { reference, trust, opaque } = policy;
    const about = { wanted: { name, kind, opaque }, reference, trust };
    const check = { ...about, ...limits, version, isPinned: true, ...(isOffline ? { kept } : {}) };
    const candidate = await checkSource(check, deps);
    entries[name] = lockEntry(folder, policy.reference, candidate, known, now);
  }
  return entries;
}

/** A release that was checked, and whose wish it is. */
export interface ReleaseMove {
  readonly next: LockedRelease;
  readonly bundles: Readonly<Record<string, LockedSource>>;
  readonly why: string;
}

/**
 * Records the move, carries it out and prints it.
 *
 * @throws DecisionError where it cannot be recorded; BundleError where the lock cannot be written
 */
export async function putRelease(
  io: CliIo,
  released: ReleasedServer,
  { next, bundles, why }: ReleaseMove,
  output: OutputFormat,
): Promise<void> {
  const { lock, lockPath, server, state } = released;
  const version = releaseVersion(next.release);
  await record(io, released, next.release, `release ${version}: ${why}`);
  await changeLock(state, lockPath, (before) => moveRelease(before, next, bundles));
  const pins = await alignPins(state, server.id, new Map(Object.entries(next.release.pins)));
  if (!pins.ok) {
    throw new CliError(
      exitCodes.unexpected,
      `release ${version} of "${server.id}" is in the lock, and its pins could not be written: ${pins.reason}; tools that changed are denied until the command is repeated`,
    );
  }
  const before = lock.servers[server.id]?.release;
  const { digest, reference } = next;
  if (output === "table") io.out(reference);
  else {
    printDocument(io, output, {
      server: server.id,
      version,
      previous_version: before === undefined ? null : releaseVersion(before),
      release: digest,
      reference,
      bundle: next.release.bundle.digest,
      why,
    });
  }
  if (server.transport.kind === "stdio" && !usesRelease(server)) {
    io.err(
      `warning: servers.${server.id} starts the program that its command line names, whatever the release is: write ${releasePlaceholder} where its version stands`,
    );
  }
  io.err(`"${server.id}" is at release ${version}; a gateway that runs takes it within seconds`);
}

async function record(
  io: CliIo,
  { config, lock, server, source, state }: ReleasedServer,
  { bundle }: Release,
  why: string,
): Promise<void> {
  const { reference } = historyKey(server.id, source.policy.reference);
  const was = lock.bundles[server.id]?.digest;
  await withDecisionLog(io, { config, stateDir: state.stateDir }, (log) =>
    log.note({
      kind: "activation",
      decisionId: newId(),
      timeMs: systemClock.nowMs(),
      tenant: config.tenant,
      layer: server.id,
      layerKind: "server",
      reference,
      event: "released",
      digest: asDigest(bundle.digest),
      previous: was === undefined ? undefined : asDigest(was),
      revision: bundle.revision,
      by: personOf(io),
      why,
      code: null,
      signers: [],
    }),
  );
}
