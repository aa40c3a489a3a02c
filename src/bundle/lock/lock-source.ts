/**
 * What a source has now, as an entry of the lock: fetched, vouched for as the source requires, opened
 * and tested, exactly as a gateway would before it activates it.
 */
import type { SourceTrust } from "../../config/config.ts";
import type { Digest } from "../../contract/bundle.ts";
import type { BundleDependencies } from "../bundle-dependencies.ts";
import { openCache } from "../cache.ts";
import type { KeptBundle } from "../life/bundle-history.ts";
import { readKeptBundle } from "../life/kept-bundles.ts";
import type { Candidate, TestPolicy } from "../life/prepare-candidate.ts";
import { prepareCandidate } from "../life/prepare-candidate.ts";
import type { Wanted } from "../open-bundle.ts";
import { openBundleSource } from "../sources/open-bundle-source.ts";
import type { Version } from "../sources/bundle-source.ts";
import { openSigners } from "../verify/open-signers.ts";
import type { LockLimits } from "../life/check-locked.ts";
import { requireLowest, requireReleased } from "../life/check-locked.ts";
import type { LockedSource } from "./lock-document.ts";
import { portableReference } from "./portable-reference.ts";

export interface SourceCheck extends LockLimits {
  readonly wanted: Wanted;
  /** As configured, paths absolute. */
  readonly reference: string;
  readonly trust: SourceTrust;
  /** What to fetch; `undefined`: what the source has now. */
  readonly version: Version | undefined;
  /** True where the digest is written down, or is about to be. */
  readonly isPinned: boolean;
  /** What people took back; nothing of it passes. */
  readonly revoked?: ReadonlySet<Digest>;
  /** Reads this one from the cache, and asks nobody. */
  readonly kept?: KeptBundle;
}

export interface SourceCheckDeps extends BundleDependencies {
  readonly cachePath: string;
  readonly test: TestPolicy | undefined;
}

/**
 * Fetches and prepares one bundle as a gateway would, and activates nothing.
 *
 * @throws BundleError
 */
export async function checkSource(check: SourceCheck, deps: SourceCheckDeps): Promise<Candidate> {
  const { wanted, reference, trust, version, isPinned } = check;
  const source = await openBundleSource(reference, { kind: wanted.kind }, deps);
  const { signal } = new AbortController();
  const cache = openCache(deps.cachePath, deps.log);
  const where = `bundle "${wanted.name}" from ${source.describe}`;
  try {
    const fetched =
      check.kept === undefined
        ? await source.fetch(version ?? (await ask(source, signal)), signal)
        : await readKeptBundle(cache, source.describe, check.kept);
    try {
      requireReleased(where, check, fetched.digest);
      const past = {
        highest: undefined,
        isTested: false,
        revoked: check.revoked ?? new Set<Digest>(),
      };
      const candidate = await prepareCandidate(fetched, past, {
        wanted,
        reference: source.describe,
        require: trust.require,
        signers: openSigners(trust.signers),
        isPinned: source.isFixed || isPinned,
        cached: cache.content,
        keepProof: ({ subject, manifest }) => cache.keepProof(subject, manifest),
        compile: deps.compile,
        test: deps.test,
      });
      requireLowest(where, check, candidate.mark);
      return candidate;
    } finally {
      await fetched.close();
    }
  } finally {
    source.close();
  }
}

/** The entry of a bundle that was checked; one that says the same keeps its time. */
export function lockEntry(
  folder: string,
  reference: string,
  { bundle, fetched, trust }: Candidate,
  known: LockedSource | undefined,
  now: string,
): LockedSource {
  const { id, etag } = fetched.version;
  const entry = {
    reference: portableReference(folder, reference),
    digest: bundle.digest,
    version: etag === undefined ? { id } : { id, etag },
    revision: bundle.revision,
    size: fetched.archive.length,
    signers: trust.signers.map(({ name }) => name),
    ...(known?.lowest_revision === undefined ? {} : { lowest_revision: known.lowest_revision }),
  };
  const { resolved_at: at, ...rest } = known ?? { resolved_at: now };
  const isSame = entriesOf(entry) === entriesOf(rest);
  return { ...entry, resolved_at: isSame ? at : now };
}

function entriesOf(entry: object): string {
  return JSON.stringify(Object.entries(entry).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function ask(
  source: Awaited<ReturnType<typeof openBundleSource>>,
  signal: AbortSignal,
): Promise<Version> {
  const polled = await source.poll(undefined, signal);
  if (polled.kind === "failed") throw polled.error;
  if (polled.kind === "unchanged") throw new TypeError("nothing is known that could be unchanged");
  return polled.version;
}
