/**
 * Whether a bundle is older than one that was already seen. A signature does not age: whoever
 * controls a registry can serve last year's bundle with its good signature, so the gateway keeps in
 * mind the highest version it has had and takes no lower one by itself.
 *
 * Three measures, the first that applies decides:
 * 1. `metadata.sequence` of the signed `.manifest`, a whole number that only grows;
 * 2. the manifest's `revision`, where it is a semantic version (semver.org §11);
 * 3. the time at which the artifact was made, where it says one.
 * What had one of them before and has none of them now counts as older: otherwise a bundle from
 * before it was introduced would slip past. Revisions without order, such as commit hashes, without
 * sequence and time cannot be compared, and are not held to be older.
 */

/** What is known of a bundle's place in time. */
export interface VersionMark {
  readonly revision: string;
  /** `metadata.sequence`. */
  readonly sequence: number | undefined;
  /** `org.opencontainers.image.created`, only where it is covered by what was verified. */
  readonly createdSeconds: number | undefined;
}

const semverPattern =
  /^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/;

/** True where the candidate is older than what was seen. */
export function isDowngrade(seen: VersionMark, candidate: VersionMark): boolean {
  return orderOf(seen, candidate) < 0;
}

/** The mark to keep: the higher of the two. */
export function highestOf(seen: VersionMark | undefined, candidate: VersionMark): VersionMark {
  return seen !== undefined && isDowngrade(seen, candidate) ? seen : candidate;
}

/**
 * Reads the mark of a bundle.
 *
 * @param manifest - the bundle's `.manifest`
 * @param annotations - of the OCI manifest, where that is what was signed or pinned
 */
export function versionMark(
  manifest: {
    readonly revision: string;
    readonly metadata: Readonly<Record<string, unknown>>;
  },
  annotations: Readonly<Record<string, string>> = {},
): VersionMark {
  const sequence = manifest.metadata["sequence"];
  const created = Date.parse(annotations["org.opencontainers.image.created"] ?? "");
  return {
    revision: manifest.revision,
    sequence: typeof sequence === "number" && Number.isSafeInteger(sequence) ? sequence : undefined,
    // Zero is what a reproducible build writes that knows no time.
    createdSeconds: created > 0 ? Math.floor(created / 1000) : undefined,
  };
}

/** Below zero: the candidate is older. Zero: as old, or not to be compared. */
function orderOf(seen: VersionMark, candidate: VersionMark): number {
  if (seen.sequence !== undefined) return (candidate.sequence ?? -Infinity) - seen.sequence;
  const seenVersion = parseSemver(seen.revision);
  if (seenVersion !== undefined) {
    const version = parseSemver(candidate.revision);
    return version === undefined ? -1 : compareSemver(version, seenVersion);
  }
  if (seen.createdSeconds === undefined) return 0;
  if (candidate.createdSeconds !== undefined) return candidate.createdSeconds - seen.createdSeconds;
  return candidate.sequence === undefined && parseSemver(candidate.revision) === undefined ? -1 : 0;
}

interface Semver {
  readonly core: readonly bigint[];
  readonly prerelease: readonly string[];
}

function parseSemver(text: string): Semver | undefined {
  const [, major, minor, patch, prerelease] = semverPattern.exec(text) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  return { core: [major, minor, patch].map(BigInt), prerelease: prerelease?.split(".") ?? [] };
}

function compareSemver(left: Semver, right: Semver): number {
  const core = compareLists(left.core, right.core, compareValues);
  if (core !== 0) return core;
  const [first, second] = [left.prerelease, right.prerelease];
  if (first.length === 0 || second.length === 0) return second.length - first.length;
  return compareLists(first, second, compareIdentifiers) || first.length - second.length;
}

function compareLists<Item>(
  left: readonly Item[],
  right: readonly Item[],
  compare: (a: Item, b: Item) => number,
): number {
  for (const [index, item] of left.entries()) {
    const other = right[index];
    const order = other === undefined ? 0 : compare(item, other);
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers are lower than words, and are compared as numbers. */
function compareIdentifiers(left: string, right: string): number {
  const [leftIsNumber, rightIsNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)];
  if (leftIsNumber && rightIsNumber) return compareValues(BigInt(left), BigInt(right));
  if (leftIsNumber !== rightIsNumber) return leftIsNumber ? -1 : 1;
  return compareValues(left, right);
}

function compareValues<Value extends bigint | string>(left: Value, right: Value): number {
  return left === right ? 0 : left < right ? -1 : 1;
}
