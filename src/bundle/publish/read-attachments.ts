/**
 * What lies beside an artifact: signatures, test reports, provenance. Anybody who may push can put
 * something there, so everything is fetched and looked at for itself, within bounds, and nothing is
 * believed: who vouches for a bundle is judged by `verify/` alone.
 */
import type { Digest } from "../../contract/bundle.ts";
import { BundleError } from "../bundle-error.ts";
import type { ContentSource } from "../content.ts";
import type { ImageManifest } from "../oci-document.ts";
import { mediaTypes, parseOciDocument } from "../oci-document.ts";
import { findTagCandidate, listReferrerCandidates, readCandidate } from "../verify/candidates.ts";
import type { Provenance } from "./provenance.ts";
import { parseProvenance } from "./provenance.ts";
import type { TestReport } from "./test-report.ts";
import { parseTestReport } from "./test-report.ts";

/** Something that is said about a manifest. */
export interface Attachment<Content> {
  readonly manifest: Digest;
  readonly subject: Digest;
  readonly content: Content;
}

/** Everything that was found beside the manifests of an artifact. */
export interface Attachments {
  /** Not verified. */
  readonly signatures: readonly Attachment<{ readonly form: string }>[];
  readonly testReports: readonly Attachment<TestReport>[];
  readonly provenance: readonly Attachment<Provenance>[];
  /** Of types that are nothing to us, or not what they say. */
  readonly others: readonly Attachment<{ readonly artifactType: string | null }>[];
}

const maxReferrers = 64;
const maxDocumentBytes = 4 * 1024 * 1024;

/**
 * Looks for what refers to these manifests.
 *
 * @throws BundleError of the place; one bad attachment is passed over
 */
export async function readAttachments(
  source: ContentSource,
  subjects: readonly Digest[],
): Promise<Attachments> {
  const found: { readonly [Key in keyof Attachments]: Attachments[Key][number][] } = {
    signatures: [],
    testReports: [],
    provenance: [],
    others: [],
  };
  for (const subject of new Set(subjects)) {
    const signatures = await findSignatures(source, subject);
    found.signatures.push(...signatures);
    const known = new Set(signatures.map(({ manifest }) => manifest));
    const referrers = (await source.referrers(subject)).slice(0, maxReferrers);
    for (const { digest } of referrers.filter((referrer) => !known.has(referrer.digest))) {
      const manifest = await readReferrer(source, digest, subject);
      if (manifest === undefined) continue;
      const about = { manifest: digest, subject };
      const json = await readDocument(source, manifest);
      const artifactType = manifest.artifactType ?? manifest.config?.mediaType ?? null;
      const report = artifactType === mediaTypes.testReport ? parseTestReport(json) : undefined;
      const isStatement = artifactType === mediaTypes.inTotoStatement;
      const statement = isStatement ? parseProvenance(json, subject) : undefined;
      if (report !== undefined) found.testReports.push({ ...about, content: report });
      else if (statement !== undefined) found.provenance.push({ ...about, content: statement });
      else found.others.push({ ...about, content: { artifactType } });
    }
  }
  return found;
}

async function findSignatures(
  source: ContentSource,
  subject: Digest,
): Promise<Attachments["signatures"]> {
  const manifests = [
    ...(await listReferrerCandidates(source, subject)),
    ...(await findTagCandidate(source, subject)),
  ];
  const found: Attachments["signatures"][number][] = [];
  for (const manifest of manifests) {
    const candidates = await orUndefined(readCandidate(source, manifest));
    for (const { manifest: named, form } of candidates ?? []) {
      found.push({ manifest: named.digest, subject, content: { form } });
    }
  }
  return found;
}

/** A list may name anything; only the manifest itself says what it belongs to. */
async function readReferrer(
  source: ContentSource,
  digest: Digest,
  subject: Digest,
): Promise<ImageManifest | undefined> {
  const read = await orUndefined(source.readManifest(digest));
  if (read === undefined) return undefined;
  const document = await orUndefined(
    Promise.resolve(read).then((content) => parseOciDocument(content, `referrer ${digest}`)),
  );
  if (document?.kind !== "manifest") return undefined;
  return document.manifest.subject?.digest === subject ? document.manifest : undefined;
}

/** The one JSON document of an attachment of ours. */
async function readDocument(source: ContentSource, manifest: ImageManifest): Promise<unknown> {
  const [layer, ...others] = manifest.layers;
  const isOurs =
    layer?.mediaType === mediaTypes.testReport || layer?.mediaType === mediaTypes.inTotoStatement;
  if (layer === undefined || others.length > 0 || !isOurs) return undefined;
  const bytes = await orUndefined(source.readBlob(layer, maxDocumentBytes));
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** One that is broken or gone must not hide the others. */
async function orUndefined<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  try {
    return await reading;
  } catch (thrown) {
    if (thrown instanceof BundleError) return undefined;
    throw thrown;
  }
}
