/**
 * What a place that holds artifacts can do. A registry, a layout and the cache look the same from
 * here, so that resolving, checking and opening are written once.
 */
import type { Digest } from "../contract/bundle.ts";
import type { Descriptor, ManifestBytes } from "./oci-document.ts";

/** A place to read artifacts from. Every byte it returns was checked against its digest. */
export interface ContentSource {
  /**
   * The digest that a tag stands for now; a digest stands for itself.
   *
   * @param known - the digest that it stood for when it was asked last; spares the place an answer
   * @throws BundleError `bundle_not_found`, and the errors of the place
   */
  readonly resolve: (version: TagOrDigest, known?: Digest) => Promise<Digest>;
  /** Bytes of a manifest or index. */
  readonly readManifest: (digest: Digest) => Promise<ManifestBytes>;
  /** Bytes of a blob, of exactly the descriptor's size, which must not exceed `maxBytes`. */
  readonly readBlob: (descriptor: Descriptor, maxBytes: number) => Promise<Buffer>;
  /**
   * Manifests that are said to name this one as their subject: signatures, attestations. A hint and
   * no more, since anybody who may push can add to it: readers fetch each and look for themselves.
   */
  readonly referrers: (subject: Digest) => Promise<readonly Descriptor[]>;
}

/** A place to put artifacts. */
export interface ContentSink {
  readonly writeBlob: (bytes: Uint8Array, descriptor: Descriptor) => Promise<void>;
  /** Comes after its blobs; moves the tag where one is given. */
  readonly writeManifest: (
    bytes: Uint8Array,
    descriptor: Descriptor,
    tag: string | undefined,
  ) => Promise<void>;
  /** Puts a manifest that names a subject, so that `referrers` of the subject finds it. */
  readonly attach: (bytes: Uint8Array, descriptor: Descriptor, subject: Digest) => Promise<void>;
}

/** Digest where there is one, else tag. */
export interface TagOrDigest {
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}
