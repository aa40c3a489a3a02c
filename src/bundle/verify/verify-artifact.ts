/**
 * Looks for one signature that somebody trusted made for an artifact: in each place at whatever
 * refers to its manifests, then in the bundle itself (OPA), which has to be opened for that. Any one
 * is enough; a broken or foreign signature never hides a good one, and everything that did not count
 * is told.
 */
import type { Digest } from "../../contract/bundle.ts";
import { BundleError } from "../bundle-error.ts";
import type { ContentSource } from "../content.ts";
import { parseJson } from "../parse-json.ts";
import type { Candidate, CandidateManifest } from "./candidates.ts";
import {
  findTagCandidate,
  listReferrerCandidates,
  readCandidate,
  readSignature,
} from "./candidates.ts";
import type { Carried } from "./judge-carried.ts";
import { judgeKeyless, judgeKeylessDocument } from "./keyless.ts";
import { simpleSignatureAnnotation } from "./signature-annotations.ts";
import { judgeKeyBundle } from "./sigstore-bundle.ts";
import { judgeSimpleSigning } from "./simple-signing.ts";
import type { Judgement, Signer, Tried, Verification, VerificationFailure } from "./trust.ts";
import { refused } from "./trust.ts";

/** What is in an archive, once it is opened. */
export interface SignedFiles {
  /** Content by path, without leading `/`. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** The signature among them. */
  readonly carried: Carried;
}

/** What is to be vouched for. */
export interface SignedArtifact {
  /**
   * Digests of the manifests from the reference's digest down to the one with the bundle; each
   * names the next by its hash, so that a signature on any of them covers the bundle. Empty for a
   * bundle that did not come as an OCI artifact.
   */
  readonly subjects: readonly Digest[];
  /** Opens the archive; not called before what can be known without it is known. */
  readonly open: () => Promise<SignedFiles>;
}

/** Of several failures the one is told that came nearest to success. */
const nearestFirst: readonly VerificationFailure[] = [
  "identity_mismatch",
  "subject_mismatch",
  "expired",
  "untrusted_root",
  "no_trusted_signature",
];

/**
 * Verifies an artifact.
 *
 * @param places - where signatures may be, asked in order; the cache first spares the network
 * @throws BundleError where a place could not be asked and no other had a good signature
 */
export async function verifyArtifact(
  artifact: SignedArtifact,
  signers: readonly Signer[],
  places: readonly ContentSource[],
): Promise<Verification> {
  const tried: Tried[] = [];
  const troubles: BundleError[] = [];
  for (const place of places) {
    for (const subject of artifact.subjects) {
      const search = { place, subject, signers, tried, troubles };
      const found = await searchPlace(search);
      if (found !== undefined) return found;
    }
  }
  if (signers.some(({ type }) => type === "opa")) {
    const { carried } = await artifact.open();
    if (carried.signer !== undefined) {
      return { kind: "verified", signers: [carried.signer], proofs: [] };
    }
    tried.push(...carried.tried);
  }
  const [trouble] = troubles;
  if (trouble !== undefined) throw trouble;
  const code = nearestFirst.find((known) => tried.some((one) => one.code === known));
  return { kind: "failed", code: code ?? "unsigned", tried };
}

interface Search {
  readonly place: ContentSource;
  readonly subject: Digest;
  readonly signers: readonly Signer[];
  readonly tried: Tried[];
  readonly troubles: BundleError[];
}

async function searchPlace(search: Search): Promise<Verification | undefined> {
  const { place, subject, signers } = search;
  if (signers.every(({ type }) => type === "opa")) return undefined;
  for (const list of [listReferrerCandidates, findTagCandidate]) {
    const candidates = await unlessTrouble(search, "signatures", list(place, subject), []);
    for (const candidate of candidates) {
      const found = await tryManifest(search, candidate);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

async function tryManifest(
  search: Search,
  manifest: CandidateManifest,
): Promise<Verification | undefined> {
  const reading = readCandidate(search.place, manifest);
  for (const candidate of await unlessTrouble(search, manifest.place, reading, [])) {
    const fetching = readSignature(search.place, candidate);
    const content = await unlessTrouble(search, candidate.place, fetching, undefined);
    if (content === undefined) continue;
    for (const signer of search.signers) {
      const { subject } = search;
      const judgement = await unlessThrown(() => judge(candidate, content, subject, signer));
      if (judgement === undefined) continue;
      if (!judgement.ok) {
        const kind = `${candidate.place} as ${signer.name}`;
        search.tried.push({ kind, ...without(judgement) });
        continue;
      }
      const proofs = [{ subject: search.subject, manifest: candidate.manifest }];
      return { kind: "verified", signers: [judgement.signer], proofs };
    }
  }
  return undefined;
}

/** `undefined` where the two have nothing to do with each other. */
async function judge(
  { form, layer }: Candidate,
  content: Buffer,
  subject: Digest,
  signer: Signer,
): Promise<Judgement | undefined> {
  if (signer.type === "opa") return undefined;
  const isByKey = signer.type === "cosign-key";
  switch (form) {
    case "sigstore-bundle": {
      const json = parseJson(content);
      return isByKey
        ? judgeKeyBundle(json, subject, signer)
        : await judgeKeyless(json, subject, signer);
    }
    case "simple-signing": {
      const { annotations = {} } = layer;
      return isByKey
        ? judgeSimpleSigning(content, annotations[simpleSignatureAnnotation], subject, signer)
        : await judgeKeylessDocument(content, annotations, subject, signer);
    }
    case "notation":
      return refused("no_trusted_signature", "it is by Notation, which is not verified here");
  }
}

/** Content on which judging itself breaks is refused, and hides no other signature. */
async function unlessThrown<Value extends Judgement | undefined>(
  judging: () => Value | Promise<Value>,
): Promise<Value | Judgement> {
  try {
    return await judging();
  } catch (thrown) {
    if (thrown instanceof BundleError) throw thrown;
    const reason = thrown instanceof Error ? thrown.name : "something unknown";
    return refused("no_trusted_signature", `it cannot be judged (${reason})`);
  }
}

/** A place that is away may have had a good signature; broken content is only itself. */
async function unlessTrouble<Value>(
  { tried, troubles }: Search,
  what: string,
  asked: Promise<Value>,
  otherwise: Value,
): Promise<Value> {
  try {
    return await asked;
  } catch (thrown) {
    if (!(thrown instanceof BundleError)) throw thrown;
    const isAway = thrown.code === "bundle_unreachable" || thrown.code === "bundle_unauthorized";
    if (isAway) troubles.push(thrown);
    else tried.push({ kind: what, code: "no_trusted_signature", reason: thrown.message });
    return otherwise;
  }
}

function without(judgement: Extract<Judgement, { readonly ok: false }>): Omit<Tried, "kind"> {
  return { code: judgement.code, reason: judgement.reason };
}
