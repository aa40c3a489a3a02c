/**
 * The one question that the loading of a bundle asks this folder: does somebody vouch for it as its
 * source requires, and for it under this name? Asked between fetching and opening: a bundle that
 * nobody vouches for is opened only where its own files may hold the signature. The answer is who,
 * or an error that lists what was tried.
 */
import { BundleError } from "../bundle-error.ts";
import { readBundleManifest } from "../bundle-manifest.ts";
import type { ContentSource } from "../content.ts";
import type { Proof, Signer, Tried, VerifiedSigner } from "./trust.ts";
import type { SignedArtifact } from "./verify-artifact.ts";
import { verifyArtifact } from "./verify-artifact.ts";

/** A bundle, and what its source requires. */
export interface TrustQuestion {
  /** Config id of the server, or name of the layer; `undefined` asks for no one in particular. */
  readonly name: string | undefined;
  /** Bundle and reference for messages. */
  readonly where: string;
  readonly require: "signature" | "digest" | "none";
  readonly signers: readonly Signer[];
  /** True where the digest was written down before: in the reference, or in the lock. */
  readonly isPinned: boolean;
  readonly artifact: SignedArtifact;
  /** Where signatures may be, asked in order. */
  readonly places: readonly ContentSource[];
}

/** Who or what vouches for a bundle. */
export interface TrustReport {
  readonly by: "signature" | "digest" | "nothing";
  readonly signers: readonly VerifiedSigner[];
  /** To be kept in the cache, so that a start without the registry can verify again. */
  readonly proofs: readonly Proof[];
}

const maxShown = 8;

/**
 * Answers who vouches for a bundle.
 *
 * @throws BundleError `bundle_unverified`, `bundle_name_mismatch`, and of the places
 */
export async function requireTrust(question: TrustQuestion): Promise<TrustReport> {
  switch (question.require) {
    case "none":
      return { by: "nothing", signers: [], proofs: [] };
    case "digest":
      return requirePin(question);
    case "signature":
      return await requireSignature(question);
  }
}

function requirePin({ isPinned, where }: TrustQuestion): TrustReport {
  if (isPinned) return { by: "digest", signers: [], proofs: [] };
  throw new BundleError(
    "bundle_unverified",
    `${where}: expected a pinned digest, found a reference that may change its meaning; add @DIGEST to it, lock it with bundle lock, name a signer in trust, or say require: "none"`,
  );
}

async function requireSignature(question: TrustQuestion): Promise<TrustReport> {
  const { artifact, signers, places, where, name } = question;
  const found = await verifyArtifact(artifact, signers, places);
  if (found.kind === "failed") {
    const expected = `a signature by ${signers.map((signer) => signer.name).join(" or ")}`;
    throw new BundleError(
      "bundle_unverified",
      `${where}: expected ${expected}, found ${describe(found.tried)} (${found.code})`,
    );
  }
  if (name === undefined) return { by: "signature", signers: found.signers, proofs: found.proofs };
  const { metadata } = readBundleManifest((await artifact.open()).files, where);
  const problem = bindingProblem(name, metadata.name, found.signers);
  if (problem !== undefined) throw new BundleError("bundle_name_mismatch", `${where}: ${problem}`);
  return { by: "signature", signers: found.signers, proofs: found.proofs };
}

/**
 * Why signed content may not speak for a server or layer; `undefined` where it may. With one key
 * for many bundles, the signed name is all that keeps one from being served as another.
 */
export function bindingProblem(
  wanted: string,
  bundleName: string | undefined,
  signers: readonly VerifiedSigner[],
): string | undefined {
  if (bundleName === wanted) return undefined;
  const isScoped = signers.some((signer) => signer.type === "opa" && signer.scope === wanted);
  if (bundleName === undefined && isScoped) return undefined;
  const found = bundleName === undefined ? "none" : JSON.stringify(bundleName);
  return `expected metadata.name ${JSON.stringify(wanted)} in its signed .manifest, found ${found}; a signature does not say for which server a bundle is`;
}

function describe(tried: readonly Tried[]): string {
  if (tried.length === 0) return "none";
  const shown = tried.slice(0, maxShown).map(({ kind, reason }) => `${kind}: ${reason}`);
  const more = tried.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}
