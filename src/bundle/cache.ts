/**
 * The bundle cache: one OCI layout that all gateways of a user share, so that a start without the
 * registry has the last good bundle. Content is stored under its digest, hashed again at each read
 * and written by rename only; which digest was last good for a reference is a small file of its
 * own, so that no two processes write one thing together.
 */
import { join } from "node:path";
import * as z from "zod";
import type { Log } from "../contract/ambient.ts";
import type { Digest } from "../contract/bundle.ts";
import { sha256Of } from "../contract/sha256.ts";
import { BundleError } from "./bundle-error.ts";
import type { ContentSource } from "./content.ts";
import { isDigest, splitDigest } from "./digest.ts";
import { mediaTypes, type Descriptor, type ManifestBytes } from "./oci-document.ts";
import { formatReference, type RegistryReference } from "./reference.ts";
import { privateModes, readLayoutFile, writeLayoutFile } from "./sources/layout-file.ts";
import { readableLayout, writableLayout } from "./sources/layout.ts";

/** Reads and remembers artifacts on disk. */
export interface BundleCache {
  /** What the cache has; missing or damaged content is an error as of any other source. */
  readonly content: ContentSource;
  /** A source that asks the cache first, and keeps what the other one sends. */
  readonly inFrontOf: (remote: ContentSource) => ContentSource;
  /** The digest that was last opened without a complaint for this reference. */
  readonly lastGood: (reference: RegistryReference) => Promise<Digest | undefined>;
  /** Makes an artifact, all of whose content is in the cache, the last good one. */
  readonly remember: (reference: RegistryReference, top: ManifestBytes) => Promise<void>;
}

const emptyConfig = Buffer.from("{}");
const maxPointerBytes = 16 * 1024;
const pointerSchema = z.object({ reference: z.string(), digest: z.string().refine(isDigest) });

/**
 * The cache in a folder, which is made with the first write.
 *
 * @param log - told about content that is damaged or could not be kept; neither stops a load
 */
export function openCache(path: string, log: Log): BundleCache {
  const content = readableLayout(path);
  const onTrouble = (thrown: BundleError): void => {
    log.warn({ problem: thrown.message, code: thrown.code }, "bundle cache is degraded");
  };
  return {
    content,
    inFrontOf: (remote) => readThrough(path, content, remote, onTrouble),
    lastGood: async (reference) => await readPointer(path, reference),
    remember: async (reference, top) => {
      await writePointer(path, reference, top);
    },
  };
}

function readThrough(
  path: string,
  cached: ContentSource,
  remote: ContentSource,
  onTrouble: (thrown: BundleError) => void,
): ContentSource {
  const sink = writableLayout(path, privateModes);
  const keep = async (bytes: Buffer, digest: Digest): Promise<void> => {
    const descriptor = { mediaType: mediaTypes.manifest, digest, size: bytes.length };
    await unlessDamaged(sink.writeBlob(bytes, descriptor), onTrouble);
  };
  return {
    resolve: remote.resolve,
    readManifest: async (digest) => {
      const found = await unlessDamaged(cached.readManifest(digest), onTrouble);
      if (found !== undefined) return found;
      const fetched = await remote.readManifest(digest);
      await keep(fetched.bytes, digest);
      return fetched;
    },
    readBlob: async (descriptor, maxBytes) => {
      const found = await unlessDamaged(cached.readBlob(descriptor, maxBytes), onTrouble);
      if (found !== undefined) return found;
      const fetched = isEmptyConfig(descriptor)
        ? emptyConfig
        : await remote.readBlob(descriptor, maxBytes);
      await keep(fetched, descriptor.digest);
      return fetched;
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
  const pointer = pointerSchema.safeParse(parseOrUndefined(bytes));
  if (!pointer.success || pointer.data.reference !== formatReference(reference)) return undefined;
  return pointer.data.digest;
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

function parseOrUndefined(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
