/**
 * From fetched bytes to a bundle that may be made active: it was not revoked, somebody vouches for it
 * as its source requires, it opens and compiles, it is no older than what was active, and its own
 * tests pass. Nothing is opened before somebody vouched for it, but for a signature that is inside.
 * Whether it starts and answers in time is for the engine to find out.
 */
import type { Bundle, Digest } from "../../contract/bundle.ts";
import { BundleError } from "../bundle-error.ts";
import { decodeBundleText, readBundleManifest } from "../bundle-manifest.ts";
import type { CompilePolicy, PolicySources } from "../compile-policy.ts";
import type { ContentSource } from "../content.ts";
import type { Wanted } from "../open-bundle.ts";
import { openBundle } from "../open-bundle.ts";
import type { FetchedBundle } from "../sources/bundle-source.ts";
import type { OpenedArchive } from "../unpack/opened-archive.ts";
import { unpackArchive } from "../unpack/unpack-archive.ts";
import type { TrustReport } from "../verify/require-trust.ts";
import { requireTrust } from "../verify/require-trust.ts";
import type { Proof, Signer } from "../verify/trust.ts";
import type { VersionMark } from "../verify/version-order.ts";
import { isDowngrade, versionMark } from "../verify/version-order.ts";

/** A bundle that has passed everything but the engine. */
export interface Candidate {
  readonly bundle: Bundle;
  /** Digest of the files, however they are packed and wrapped. */
  readonly content: Digest;
  readonly fetched: FetchedBundle;
  readonly trust: TrustReport;
  readonly mark: VersionMark;
}

/** Runs the tests that a bundle ships; what failed, by name. */
export type TestPolicy = (
  sources: PolicySources,
  kind: Wanted["kind"],
) => Promise<{ readonly passed: number; readonly failed: readonly string[] }>;

export interface PrepareOptions {
  readonly wanted: Wanted;
  /** What commands call the source, where that is not the bundle's own name. */
  readonly source?: string;
  /** As configured, for messages. */
  readonly reference: string;
  readonly require: "signature" | "digest" | "none";
  readonly signers: readonly Signer[];
  /** True where the reference or the lock names the digest. */
  readonly isPinned: boolean;
  /** Looked through for signatures before the source is. */
  readonly cached: ContentSource | undefined;
  readonly keepProof: (proof: Proof) => Promise<void>;
  readonly compile: CompilePolicy | undefined;
  readonly test: TestPolicy | undefined;
}

/** What the past says about a candidate. */
export interface KnownPast {
  /** The highest version that was active; `undefined` lets an older one pass, as a person may. */
  readonly highest: VersionMark | undefined;
  /** Its tests passed before. */
  readonly isTested: boolean;
  /** Digests of manifests, layers, archives and contents that somebody revoked. */
  readonly revoked: ReadonlySet<Digest>;
}

const maxShown = 5;

/**
 * Prepares what was fetched.
 *
 * @throws BundleError
 */
export async function prepareCandidate(
  fetched: FetchedBundle,
  past: KnownPast,
  options: PrepareOptions,
): Promise<Candidate> {
  const { wanted, reference, source = wanted.name } = options;
  const where = `bundle "${wanted.name}" from ${reference}`;
  refuseRevoked(fetched, digestsOf(fetched), past, { where, source });
  let opening: Promise<OpenedArchive> | undefined;
  const open = (): Promise<OpenedArchive> => {
    opening ??= unpackArchive(fetched.archive, options.signers);
    return opening;
  };
  const trust = await vouchFor(fetched, open, where, options);
  const { files, content } = await open();
  refuseRevoked(fetched, [content], past, { where, source });
  const about = { ...wanted, reference, digest: fetched.digest, origin: fetched.origin };
  const bundle = await openBundle(files, about, options.compile);
  // What signs the files alone says nothing of the manifest around them.
  const isCovered = trust.by === "digest" || trust.proofs.length > 0;
  const annotations = fetched.signed?.artifact.manifest.annotations;
  const mark = versionMark(bundle, isCovered ? annotations : undefined);
  if (trust.by === "signature" && past.highest !== undefined && isDowngrade(past.highest, mark)) {
    throw new BundleError(
      "bundle_downgrade",
      `${where}: expected a version no older than "${past.highest.revision}", found "${mark.revision}" (${fetched.digest}); if that is meant, run: mcp-gateway bundle activate ${source} ${fetched.digest} --why REASON`,
    );
  }
  if (!past.isTested) await runTests(files, bundle, where, options);
  return { bundle, content, fetched, trust, mark };
}

/** Whoever can wrap or pack it anew must not bring back what was revoked. */
function refuseRevoked(
  { digest }: FetchedBundle,
  found: readonly Digest[],
  { revoked }: KnownPast,
  { where, source }: { readonly where: string; readonly source: string },
): void {
  if (!found.some((one) => revoked.has(one))) return;
  throw new BundleError(
    "bundle_revoked",
    `${where}: expected a bundle that was not revoked, found ${digest}; publish another, or see who revoked it and why: mcp-gateway bundle history ${source}`,
  );
}

/** What an artifact goes by without being opened. */
function digestsOf({ digest, signed }: FetchedBundle): readonly Digest[] {
  if (signed === undefined) return [digest];
  const { documents, layer } = signed.artifact;
  return [digest, layer.digest, ...documents.map((document) => document.digest)];
}

async function vouchFor(
  { signed }: FetchedBundle,
  open: () => Promise<OpenedArchive>,
  where: string,
  { cached, isPinned, keepProof, require, signers, wanted }: PrepareOptions,
): Promise<TrustReport> {
  const subjects = signed?.artifact.documents.map((document): Digest => document.digest) ?? [];
  const places = [cached, signed?.content].filter((place) => place !== undefined);
  const artifact = { subjects, open };
  const question = { name: wanted.name, where, require, signers, isPinned, artifact, places };
  const report = await requireTrust(question);
  for (const proof of report.proofs) await keepProof(proof);
  return report;
}

/** What is compiled leaves tests out, so they are taken from the archive. */
async function runTests(
  files: ReadonlyMap<string, Buffer>,
  { dataJson, kind }: Bundle,
  where: string,
  { test }: PrepareOptions,
): Promise<void> {
  const rego = [...files].filter(([path]) => path.endsWith(".rego"));
  if (test === undefined || !rego.some(([path]) => path.endsWith("_test.rego"))) return;
  const modules = new Map(
    rego.map(([path, bytes]) => [path, decodeBundleText(bytes, `${where}: ${path}`)]),
  );
  const { failed } = await test(
    { modules, dataJson, manifest: readBundleManifest(files, where) },
    kind,
  );
  if (failed.length === 0) return;
  const shown = failed.slice(0, maxShown).join(", ");
  const more = failed.length > maxShown ? ` and ${failed.length - maxShown} more` : "";
  throw new BundleError(
    "bundle_tests_failed",
    `${where}: expected its own tests to pass, found ${failed.length} that fail: ${shown}${more}`,
  );
}
