/**
 * A registry that speaks the OCI distribution specification, as a place to read bundles from and
 * to push them to. A tag is resolved once, by `HEAD`; everything after that is asked for by digest
 * and checked against it, so that a tag that moves meanwhile mixes nothing up.
 */
import type { Digest } from "../../contract/bundle.ts";
import { sha256Of } from "../../contract/sha256.ts";
import { BundleError } from "../bundle-error.ts";
import type { ContentSink, ContentSource, TagOrDigest } from "../content.ts";
import { checkedBytes, isDigest } from "../digest.ts";
import type { Descriptor, ManifestBytes } from "../oci-document.ts";
import { manifestTypes, maxManifestBytes } from "../oci-document.ts";
import type { RegistryReference } from "../reference.ts";
import { formatReference } from "../reference.ts";
import { extendReferrersIndex, listReferrers, referrersTag } from "./referrers.ts";
import { failureOf } from "./registry-failure.ts";
import { exchange } from "./registry-request.ts";
import type {
  RegistryAnswer,
  RegistryOptions,
  RegistryRequest,
  RegistrySession,
} from "./registry-session.ts";
import { closeSession, openSession } from "./registry-session.ts";
import { uploadBlob } from "./registry-upload.ts";

const accept = { accept: manifestTypes.join(", ") };

/** Opens a conversation about one repository; nothing is sent before the first question. */
export async function createRegistry(
  reference: RegistryReference,
  options: RegistryOptions,
): Promise<ContentSource & ContentSink & { readonly close: () => Promise<void> }> {
  const { host, repository } = reference;
  const session = await openSession(
    { host, repository, where: formatReference(reference) },
    options,
  );
  const manifests = {
    resolve: async (version: TagOrDigest, known?: Digest) => await resolve(session, version, known),
    readManifest: async (digest: Digest) => await readManifest(session, digest),
  };
  return {
    ...manifests,
    readBlob: async (descriptor, maxBytes) => await readBlob(session, descriptor, maxBytes),
    referrers: async (subject) => await listReferrers(session, manifests, subject),
    writeBlob: async (bytes, { digest }) => {
      await uploadBlob(session, bytes, digest);
    },
    writeManifest: async (bytes, descriptor, tag) => {
      await writeManifest(session, bytes, descriptor, tag);
    },
    attach: async (bytes, descriptor, subject) => {
      const answer = await writeManifest(session, bytes, descriptor, undefined);
      if (answer.header("oci-subject") !== undefined) return;
      const index = await extendReferrersIndex(manifests, descriptor, subject);
      await writeManifest(session, index.bytes, index.descriptor, referrersTag(subject));
    },
    close: async () => {
      await closeSession(session);
    },
  };
}

async function resolve(
  session: RegistrySession,
  { tag, digest }: TagOrDigest,
  known: Digest | undefined,
): Promise<Digest> {
  if (digest !== undefined) return digest;
  const url = manifestUrl(session, tag ?? "latest");
  const headers = known === undefined ? accept : { ...accept, "if-none-match": `"${known}"` };
  const head = await exchange(session, { method: "HEAD", url, headers, maxBytes: 0 });
  if (head.status === 304 && known !== undefined) return known;
  // Some registries answer no HEAD; what GET gives is then named by its own hash.
  if (head.status !== 405 && head.status !== 200) {
    throw failureOf(session, head, `a manifest with tag "${tag ?? "latest"}"`);
  }
  const named = head.status === 200 ? head.header("docker-content-digest") : undefined;
  if (named === undefined) return sha256Of((await getManifest(session, url)).body);
  if (isDigest(named)) return named;
  throw new BundleError(
    "bundle_protocol_invalid",
    `${session.where}: expected a sha256 or sha512 digest in docker-content-digest, found another`,
  );
}

async function readManifest(session: RegistrySession, digest: Digest): Promise<ManifestBytes> {
  const answer = await getManifest(session, manifestUrl(session, digest));
  const named = answer.header("docker-content-digest");
  if (named !== undefined && named !== digest) {
    throw new BundleError(
      "bundle_digest_mismatch",
      `${session.where}: expected manifest ${digest}, found one that the registry itself calls by another digest`,
    );
  }
  const bytes = checkedBytes(answer.body, digest, `the manifest of ${session.where}`);
  const [type] = (answer.header("content-type") ?? "").split(";");
  return { digest, bytes, mediaType: type === "" ? undefined : type?.trim().toLowerCase() };
}

async function getManifest(session: RegistrySession, url: URL): Promise<RegistryAnswer> {
  const maxBytes = maxManifestBytes;
  return await get(session, { method: "GET", url, headers: accept, maxBytes }, "a manifest");
}

async function readBlob(
  session: RegistrySession,
  descriptor: Descriptor,
  maxBytes: number,
): Promise<Buffer> {
  const { digest, size } = descriptor;
  if (size > maxBytes) {
    throw new BundleError(
      "bundle_too_large",
      `${session.where}: expected a layer of at most ${maxBytes} bytes, found one of ${size}; it is not fetched`,
    );
  }
  const url = new URL(`/v2/${session.repository}/blobs/${digest}`, session.origin);
  const answer = await getExactly(session, url, size);
  if (answer.body.length === size) {
    return checkedBytes(answer.body, digest, `a layer of ${session.where}`);
  }
  throw wrongSize(session, digest, size, String(answer.body.length));
}

/** Reading stops at the first byte too many, and that is content which does not match. */
async function getExactly(
  session: RegistrySession,
  url: URL,
  size: number,
): Promise<RegistryAnswer> {
  try {
    return await get(session, { method: "GET", url, maxBytes: size }, "a blob");
  } catch (thrown) {
    if (!(thrown instanceof BundleError) || thrown.code !== "bundle_too_large") throw thrown;
    throw wrongSize(session, url.pathname.split("/").at(-1) ?? "", size, "more");
  }
}

async function get(
  session: RegistrySession,
  wanted: RegistryRequest,
  what: string,
): Promise<RegistryAnswer> {
  const answer = await exchange(session, wanted);
  if (answer.status === 200) return answer;
  throw failureOf(session, answer, what);
}

async function writeManifest(
  session: RegistrySession,
  bytes: Uint8Array,
  { digest, mediaType }: Descriptor,
  tag: string | undefined,
): Promise<RegistryAnswer> {
  const url = manifestUrl(session, tag ?? digest);
  const headers = { "content-type": mediaType };
  const wanted = { method: "PUT", url, headers, body: bytes, maxBytes: maxManifestBytes } as const;
  const answer = await exchange(session, wanted);
  if (answer.status !== 201) throw failureOf(session, answer, "the manifest to be accepted");
  const stored = answer.header("docker-content-digest") ?? digest;
  if (stored === digest) return answer;
  throw new BundleError(
    "bundle_digest_mismatch",
    `${session.where}: expected the registry to store manifest ${digest}, found that it stored another`,
  );
}

function manifestUrl(session: RegistrySession, version: string): URL {
  return new URL(`/v2/${session.repository}/manifests/${version}`, session.origin);
}

function wrongSize(
  session: RegistrySession,
  digest: string,
  expected: number,
  found: string,
): BundleError {
  return new BundleError(
    "bundle_digest_mismatch",
    `${session.where}: expected blob ${digest} to have ${expected} bytes as its manifest says, found ${found}`,
  );
}
