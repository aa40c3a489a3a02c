/**
 * `bundle gc`: removes from the cache what no history of this state folder, no lock and no reference
 * of the configuration needs. Safe while gateways run; those with another state folder that share
 * the cache fetch again what they miss.
 */
import { readFile } from "node:fs/promises";
import { openCache } from "../../bundle/cache.ts";
import { isDigest } from "../../bundle/digest.ts";
import { readHistories } from "../../bundle/life/bundle-history.ts";
import { parseReference } from "../../bundle/reference.ts";
import type { Needed } from "../../bundle/sweep-cache.ts";
import { sweepCache } from "../../bundle/sweep-cache.ts";
import { systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { lockPathOf } from "../../config/lock-path.ts";
import { policyPlaces } from "../../config/policy-places.ts";
import { resolveStatePaths } from "../../config/state-paths.ts";
import type { Digest } from "../../contract/bundle.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { loadConfigFor } from "../common-options.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printDocument } from "../print.ts";
import { talkingLog } from "../talking-log.ts";
import { historyPlace } from "./policy-place.ts";

export interface GcOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly dryRun?: boolean;
}

/** Sweeps the cache and prints what that freed. */
export async function gcCommand(
  io: CliIo,
  { config: configPath, output, dryRun = false }: GcOptions,
): Promise<void> {
  const { config } = loadConfigFor(io, configPath);
  const paths = resolveStatePaths(io.env, io.cwd);
  const place = historyPlace(paths);
  const { removedFiles, freedBytes, keptFiles, keptBytes } = await sweepCache({
    path: paths.cacheDir,
    cache: openCache(paths.cacheDir, talkingLog(io)),
    needed: async () => await whatIsNeeded(config, place),
    nowMs: systemClock.nowMs(),
    isDryRun: dryRun,
  });
  const kept = { kept_files: keptFiles, kept_bytes: keptBytes };
  const report = { removed_files: removedFiles, freed_bytes: freedBytes, ...kept, dry_run: dryRun };
  printDocument(io, output, { cache: paths.cacheDir, state: paths.stateDir, ...report });
}

async function whatIsNeeded(
  config: GatewayConfig,
  place: { readonly stateDir: string },
): Promise<Needed> {
  const digests: Digest[] = [...(await lockedDigests(config))];
  for (const { active, previous, candidate, hold } of await readHistories(place)) {
    const all = [active, ...previous, candidate, hold];
    digests.push(...all.flatMap((one) => (one === null ? [] : [one.digest])));
  }
  const references = policyPlaces(config)
    .flatMap(({ policy }) => (policy === undefined ? [] : [parseReference(policy.reference)]))
    .filter((reference) => reference.scheme === "oci");
  digests.push(...references.flatMap(({ digest }) => digest ?? []));
  return { digests, references };
}

/** Any digest in the lock's text counts: too many are no harm, and one too few is. */
async function lockedDigests({ path }: GatewayConfig): Promise<readonly Digest[]> {
  const lock = lockPathOf(path);
  try {
    const text = await readFile(lock, "utf8");
    const found = [...text.matchAll(/sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}/g)];
    return found.map(([digest]) => digest).filter((digest) => isDigest(digest));
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return [];
    throw new CliError(
      exitCodes.unexpected,
      `cannot read ${lock}: ${messageOf(thrown)}; nothing was removed, since what it locks is needed`,
    );
  }
}
