/**
 * What refers to a manifest in a registry (distribution specification, "Listing Referrers"): asked
 * by the referrers API, and where a registry has none, by the tag that stands for it. The answer is
 * the registry's word, bounded in pages and size; who reads it checks each manifest.
 */
import type { Digest } from "../../contract/bundle.ts";
import { BundleError, unexpected } from "../bundle-error.ts";
import type { ContentSource } from "../content.ts";
import { splitDigest } from "../digest.ts";
import type { Descriptor, ManifestBytes } from "../oci-document.ts";
import { encodeOciJson, maxManifestBytes, mediaTypes, parseOciDocument } from "../oci-document.ts";
import { failureOf } from "./registry-failure.ts";
import { exchange } from "./registry-request.ts";
import type { RegistryAnswer, RegistrySession } from "./registry-session.ts";

type Manifests = Pick<ContentSource, "resolve" | "readManifest">;

const maxPages = 10;
const maxReferrers = 1000;
const maxLinkLength = 4096;
/** Nothing in it reads over the beginning of another link, so that hostile ones cost no more. */
const nextLink = /<([^<>]*)>\s*;[^,<>]*\brel="?next"?/;
/** What registries without the API answer, beside 404. */
const unknownStatuses = new Set([400, 404, 405, 501]);

/** The tag that stands for the referrers of a digest where a registry has no API for them. */
export function referrersTag(subject: Digest): string {
  const { algorithm, hex } = splitDigest(subject);
  return `${algorithm}-${hex.slice(0, 64)}`;
}

/**
 * Descriptors of what refers to a digest, as the registry says.
 *
 * @throws BundleError
 */
export async function listReferrers(
  session: RegistrySession,
  manifests: Manifests,
  subject: Digest,
): Promise<readonly Descriptor[]> {
  const listed = await listByApi(session, subject);
  return listed ?? (await readReferrersIndex(manifests, subject));
}

/**
 * The index behind the referrers tag with one more manifest in it. Two who sign at the same moment
 * may lose one entry: registries have no other way to change a tag.
 *
 * @throws BundleError
 */
export async function extendReferrersIndex(
  manifests: Manifests,
  added: Descriptor,
  subject: Digest,
): Promise<{ readonly bytes: Buffer; readonly descriptor: Descriptor }> {
  const known = await readReferrersIndex(manifests, subject);
  const others = known.filter(({ digest }) => digest !== added.digest);
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [...others, added],
  };
  return encodeOciJson(document, mediaTypes.index);
}

/** `undefined` where the registry has no such API. */
async function listByApi(
  session: RegistrySession,
  subject: Digest,
): Promise<readonly Descriptor[] | undefined> {
  const found: Descriptor[] = [];
  let url = new URL(`/v2/${session.repository}/referrers/${subject}`, session.origin);
  for (let page = 0; page < maxPages && found.length < maxReferrers; page += 1) {
    const headers = { accept: mediaTypes.index };
    const answer = await exchange(session, {
      method: "GET",
      url,
      headers,
      maxBytes: maxManifestBytes,
    });
    if (page === 0 && isUnknown(answer)) return undefined;
    if (answer.status !== 200) throw failureOf(session, answer, "a list of referrers");
    found.push(...readPage(session, answer));
    const next = nextPage(session, url, answer.header("link"));
    if (next === undefined) break;
    url = next;
  }
  return found.slice(0, maxReferrers);
}

/** Some registries answer every unknown path with a page for people. */
function isUnknown(answer: RegistryAnswer): boolean {
  return (
    unknownStatuses.has(answer.status) ||
    (answer.status === 200 && contentType(answer) !== mediaTypes.index)
  );
}

function readPage(session: RegistrySession, answer: RegistryAnswer): readonly Descriptor[] {
  const content = { bytes: answer.body, mediaType: contentType(answer) };
  return referrersOf(content, `referrers in ${session.where}`);
}

function contentType(answer: RegistryAnswer): string | undefined {
  return answer.header("content-type")?.split(";")[0]?.trim().toLowerCase();
}

/** The next page is on the registry itself (RFC 8288), or the list is refused. */
function nextPage(session: RegistrySession, from: URL, link: string | undefined): URL | undefined {
  const target = nextLink.exec((link ?? "").slice(0, maxLinkLength))?.[1];
  if (target === undefined) return undefined;
  const url = URL.canParse(target, from.href) ? new URL(target, from) : undefined;
  if (url?.origin === session.origin && url.username === "" && url.password === "") return url;
  throw unexpected(
    "bundle_redirect_refused",
    session.where,
    `the next page of referrers on ${session.origin}`,
    "it elsewhere",
  );
}

/** A registry may answer this tag with the subject itself, which is no list of anything. */
async function readReferrersIndex(
  manifests: Manifests,
  subject: Digest,
): Promise<readonly Descriptor[]> {
  try {
    const tag = referrersTag(subject);
    const digest = await manifests.resolve({ tag, digest: undefined });
    if (digest === subject) return [];
    return referrersOf(await manifests.readManifest(digest), `referrers tag ${tag}`);
  } catch (thrown) {
    if (thrown instanceof BundleError && thrown.code === "bundle_not_found") return [];
    throw thrown;
  }
}

function referrersOf(
  content: Pick<ManifestBytes, "bytes" | "mediaType">,
  where: string,
): readonly Descriptor[] {
  const document = parseOciDocument(content, where);
  return document.kind === "index" ? document.index.manifests : [];
}
