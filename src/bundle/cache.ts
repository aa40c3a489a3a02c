/**
 * The bundle cache: one OCI layout that all gateways of a user share, so that a start without the
 * registry has the bundle that was active. Content is stored under its digest, hashed again at each
 * read and written by rename only. That something is here says nothing for it: whoever makes it
 * active judges it again. What was pulled for a reference is a small file of its own, so that no two
 * processes write one thing together.
 */
import { join } from "node:path";
import * as z from "zod";
import type { Log } from "../contract/ambient.ts";
import type { Digest } from "../contract/bundle.ts";
import { sha256Of } from "../contract/sha256.ts";
import { BundleError } from "./bundle-error.ts";
import type { ContentSource } from "./content.ts";
import { isDigest, splitDigest } from "./digest.ts";
import type { Descriptor, ManifestBytes } from "./oci-document.ts";
import { mediaTypes } from "./oci-document.ts";
import { parseJson } from "./parse-json.ts";
import type { RegistryReference } from "./reference.ts";
import { formatReference } from "./reference.ts";
import { privateModes, readLayoutFile, writeLayoutFile } from "./sources/layout-file.ts";
import { readableLayout, writableLayout } from "./sources/layout.ts";

/** Reads and remembers artifacts on disk. */
export interface BundleCache {
  /** What the cache has; missing or damaged content is an error as of any other source. */
  readonly content: ContentSource;
  /** A source that asks the cache first. What the other one sends is not kept: nobody vouched for it. */
  readonly peekBefore: (remote: ContentSource) => ContentSource;
  /** The file that says what was pulled for a reference, whether it is there or not. */
  readonly pointerOf: (reference: RegistryReference) => string;
  /** The digest that was last pulled for this reference. */
  readonly pulled: (reference: RegistryReference) => Promise<Digest | undefined>;
  /**
   * Keeps in mind which manifests in the cache prove something about another one: `content.referrers`
   * names them from then on, so that the proof can be repeated without the registry.
   */
  readonly keepProof: (subject: Digest, proof: Descriptor) => Promise<void>;
  /** Keeps content that belongs to no artifact; `content.readBlob` has it from then on. */
  readonly keepBlob: (bytes: Uint8Array, descriptor: Descriptor) => Promise<void>;
  /** Keeps a part of an artifact; a cache that cannot be written to is told in the log alone. */
  readonly keepPart: (bytes: Uint8Array, digest: Digest) => Promise<void>;
  /** Notes an artifact, all of whose content is in the cache, as the one that was pulled. */
  readonly remember: (reference: RegistryReference, top: ManifestBytes) => Promise<void>;
}

const emptyConfig = Buffer.from("{}");
const maxPointerBytes = 16 * 1024;
const maxProofs = 8;
const maxProofBytes = 64 * 1024;
const proofsSchema = z.object({
  subject: z.string(),
  manifests: z
    .array(
      z.object({
        mediaType: z.string(),
        digest: z.string().refine(isDigest),
        size: z.int().nonnegative(),
      }),
    )
    .max(maxProofs),
});
const pointerSchema = z.object({ reference: z.string(), digest: z.string().refine(isDigest) });

/**
 * The cache in a folder, which is made with the first write.
 *
 * @param log - told about content that is damaged or could not be kept; neither stops a load
 */
export function openCache(path: string, log: Log): BundleCache {
  const content: ContentSource = {
    ...readableLayout(path),
    referrers: async (subject) => await readProofs(path, subject),
  };
  const onTrouble = (thrown: BundleError): void => {
    log.warn({ problem: thrown.message, code: thrown.code }, "bundle cache is degraded");
  };
  const keepPart = async (bytes: Uint8Array, digest: Digest): Promise<void> => {
    const descriptor = { mediaType: mediaTypes.manifest, digest, size: bytes.length };
    const sink = writableLayout(path, privateModes);
    await unlessDamaged(sink.writeBlob(bytes, descriptor), onTrouble);
  };
  return {
    content,
    keepPart,
    peekBefore: (remote) => readBefore(content, remote, onTrouble),
    keepProof: async (subject, proof) => {
      await writeProof(path, subject, proof);
    },
    keepBlob: async (bytes, descriptor) => {
      await writableLayout(path, privateModes).writeBlob(bytes, descriptor);
    },
    pointerOf: (reference) => pointerPath(path, reference),
    pulled: async (reference) => await readPointer(path, reference),
    remember: async (reference, top) => {
      await writePointer(path, reference, top);
    },
  };
}

function readBefore(
  cached: ContentSource,
  remote: ContentSource,
  onTrouble: (thrown: BundleError) => void,
): ContentSource {
  return {
    resolve: remote.resolve,
    referrers: remote.referrers,
    readManifest: async (digest) =>
      (await unlessDamaged(cached.readManifest(digest), onTrouble)) ??
      (await remote.readManifest(digest)),
    readBlob: async (descriptor, maxBytes) => {
      const found = await unlessDamaged(cached.readBlob(descriptor, maxBytes), onTrouble);
      if (found !== undefined) return found;
      return isEmptyConfig(descriptor) ? emptyConfig : await remote.readBlob(descriptor, maxBytes);
    },
  };
}

/** The one blob whose content everybody knows (image specification, "empty descriptor"). */
function isEmptyConfig({ digest }: Descriptor): boolean {
  return digest === sha256Of(emptyConfig);
}

/** Whatever is wrong with a cached copy, the remote one is asked and replaces it. */
async function unlessDamaged<Value>(
  read: Promise<Value>,
  onTrouble: (thrown: BundleError) => void,
): Promise<Value | undefined> {
  try {
    return await read;
  } catch (thrown) {
    if (!(thrown instanceof BundleError)) throw thrown;
    if (thrown.code !== "bundle_not_found") onTrouble(thrown);
    return undefined;
  }
}

async function readPointer(
  path: string,
  reference: RegistryReference,
): Promise<Digest | undefined> {
  const bytes = await readLayoutFile(pointerPath(path, reference), maxPointerBytes);
  if (bytes === undefined) return undefined;
  const pointer = pointerSchema.safeParse(parseJson(bytes));
  if (!pointer.success || pointer.data.reference !== formatReference(reference)) return undefined;
  return pointer.data.digest;
}

async function readProofs(path: string, subject: Digest): Promise<readonly Descriptor[]> {
  const bytes = await readLayoutFile(proofPath(path, subject), maxProofBytes);
  const proofs = proofsSchema.safeParse(bytes === undefined ? undefined : parseJson(bytes));
  return proofs.success && proofs.data.subject === subject ? proofs.data.manifests : [];
}

/** The newest first; two gateways that write at once may lose one of two, never both. */
async function writeProof(path: string, subject: Digest, proof: Descriptor): Promise<void> {
  const known = await readProofs(path, subject);
  if (known[0]?.digest === proof.digest) return;
  const others = known.filter(({ digest }) => digest !== proof.digest);
  const manifests = [proof, ...others].slice(0, maxProofs);
  const text = JSON.stringify({ subject, manifests });
  await writeLayoutFile(proofPath(path, subject), Buffer.from(text), privateModes);
}

function proofPath(path: string, subject: Digest): string {
  const { algorithm, hex } = splitDigest(subject);
  return join(path, "proofs", `${algorithm}-${hex}.json`);
}

/** The index is for other tools that look into the layout; the pointer file is what counts. */
async function writePointer(
  path: string,
  reference: RegistryReference,
  top: ManifestBytes,
): Promise<void> {
  const { bytes, digest, mediaType = mediaTypes.manifest } = top;
  const shown = formatReference(reference);
  if ((await readPointer(path, reference)) === digest) return;
  const pointer = Buffer.from(JSON.stringify({ reference: shown, digest }));
  await writeLayoutFile(pointerPath(path, reference), pointer, privateModes);
  const descriptor = { mediaType, digest, size: bytes.length };
  const tag = shown.slice("oci://".length);
  await writableLayout(path, privateModes).writeManifest(bytes, descriptor, tag);
}

/** A pinned reference and its tag have a file each: the tag may have moved since. */
function pointerPath(path: string, reference: RegistryReference): string {
  const { hex } = splitDigest(sha256Of(formatReference(reference)));
  return join(path, "refs", `${hex}.json`);
}
