/**
 * What a reference of the command line stands for now, whatever kind of source it names. What the
 * cache has of it is not fetched again; nothing gets there unless the caller has it kept.
 */
import { BundleError } from "../../bundle/bundle-error.ts";
import type { Artifact } from "../../bundle/fetch-artifact.ts";
import type { ArtifactReference, Reference } from "../../bundle/reference.ts";
import {
  formatReference,
  parseReference,
  pinReference,
  resolveReference,
} from "../../bundle/reference.ts";
import type { FetchedBundle } from "../../bundle/sources/bundle-source.ts";
import { fetchCurrent } from "../../bundle/sources/fetch-current.ts";
import type { Bundle, Digest } from "../../contract/bundle.ts";
import { buildSources } from "./build-sources.ts";
import { talkingLog } from "../talking-log.ts";
import type { BundleContext } from "./bundle-context.ts";

/** A bundle that was fetched, all bytes checked against its digest. */
export interface FetchedAnywhere {
  readonly reference: Reference;
  /** Of the manifest where there is one, else of the archive. */
  readonly digest: Digest;
  readonly archive: Buffer;
  readonly origin: Bundle["origin"];
  /** The manifest and where it is; `undefined` for a source that knows none. */
  readonly held: { readonly artifact: Artifact; readonly reference: ArtifactReference } | undefined;
  /** The reference to exactly this, as far as its kind can say that. */
  readonly pinned: string;
  /** Writes what came from a registry into the cache. */
  readonly keep: () => Promise<void>;
}

/**
 * Fetches.
 *
 * @throws BundleError; `bundle_reference_invalid` for a folder of sources
 */
export async function fetchAnywhere(
  context: BundleContext,
  text: string,
): Promise<FetchedAnywhere> {
  const reference = resolveReference(parseReference(text), context.io.cwd);
  switch (reference.scheme) {
    case "oci":
    case "oci-layout":
      return await fetchHeld(context, reference);
    case "https":
    case "git":
      return await fetchUnheld(context, reference);
    case "file":
      throw new BundleError(
        "bundle_reference_invalid",
        `bundle reference "${formatReference(reference)}": expected oci://, oci-layout:, https:// or git+https://, found file:, which is a folder of sources and no bundle`,
      );
  }
}

async function fetchHeld(
  context: BundleContext,
  reference: ArtifactReference,
): Promise<FetchedAnywhere> {
  const fetched = await fetchNow(context, reference);
  const { digest, archive, origin, keep, signed } = fetched;
  const pinned = formatReference(pinReference(reference, digest));
  const held = signed && { artifact: signed.artifact, reference };
  return { reference, digest, archive, origin, held, pinned, keep };
}

async function fetchUnheld(
  context: BundleContext,
  reference: Exclude<Reference, ArtifactReference>,
): Promise<FetchedAnywhere> {
  const { digest, archive, origin, version, keep } = await fetchNow(context, reference);
  const pinned =
    reference.scheme === "git"
      ? formatReference({ ...reference, ref: version.id })
      : formatReference(reference);
  return { reference, digest, archive, origin, held: undefined, pinned, keep };
}

/** A layout is here already, and what a gateway keeps of the others it asks for by itself. */
async function fetchNow(
  { io, registry, cachePath }: BundleContext,
  reference: Reference,
): Promise<FetchedBundle> {
  return await fetchCurrent(
    formatReference(reference),
    { kind: "server" },
    {
      dev: false,
      cachePath: reference.scheme === "oci" ? cachePath : undefined,
      registry,
      env: io.env,
      compile: buildSources,
      buildFolder: undefined,
      log: talkingLog(io),
    },
  );
}
