/**
 * What every source of bundles can do, whatever it is: say cheaply whether there is something new,
 * and fetch exactly what it said. Who keeps policies up to date asks by this and need not know
 * whether a registry, a web server, a repository or a folder answers.
 */
import type { Bundle, Digest } from "../../contract/bundle.ts";
import type { BundleError } from "../bundle-error.ts";
import type { ContentSource } from "../content.ts";
import type { Artifact } from "../fetch-artifact.ts";

/** One state of a source, by a name that never means another. */
export interface Version {
  /** Digest of a manifest or archive, id of a commit, fingerprint of a folder. */
  readonly id: string;
  /** The validator that a web server gave for it; to be handed back with the next poll. */
  readonly etag?: string | undefined;
}

/** What a poll found. */
export type Polled =
  | { readonly kind: "unchanged"; readonly waited: boolean }
  | { readonly kind: "changed"; readonly version: Version; readonly waited: boolean }
  | {
      readonly kind: "failed";
      readonly error: BundleError;
      /** How long the other side asks to be left alone. */
      readonly retryAfterMs: number | undefined;
    };

/** The bundle of one version, all bytes checked against it, not yet opened. */
export interface FetchedBundle {
  readonly version: Version;
  /** Of the manifest where there is one, else of the archive. */
  readonly digest: Digest;
  /** `tar.gz`; may hold Rego alone, to be compiled. */
  readonly archive: Buffer;
  readonly origin: Bundle["origin"];
  /** The artifact, and where its signatures are; `undefined` for a source that has neither. */
  readonly signed: { readonly artifact: Artifact; readonly content: ContentSource } | undefined;
  /**
   * Writes it into the cache, with the proofs that were noted there; for whoever trusts it and has
   * opened it, since nothing of it is on disk before. Does nothing where there is no cache.
   *
   * @throws BundleError `bundle_storage_failed` for an archive that belongs to no artifact
   */
  readonly keep: () => Promise<void>;
  /** Ends the reading of signatures. */
  readonly close: () => Promise<void>;
}

/** A source of one bundle. */
export interface BundleSource {
  /** The reference, for messages and records. */
  readonly describe: string;
  /** True where it names one version for ever, and polling it is of no use. */
  readonly isFixed: boolean;
  /**
   * Asks for the current version; cheap, and a failure is a value. `waited` says that the source
   * itself held the answer back (long poll), so that the next poll may follow at once.
   *
   * @param known - the version that is in use
   */
  readonly poll: (known: Version | undefined, signal: AbortSignal) => Promise<Polled>;
  /**
   * Fetches the version that a poll gave.
   *
   * @throws BundleError; `bundle_not_found` where the source has moved on, which a new poll cures
   */
  readonly fetch: (version: Version, signal: AbortSignal) => Promise<FetchedBundle>;
  /**
   * Calls back soon after something may have changed; returns what ends that. Absent where only
   * polling helps.
   */
  readonly watch?: (onChange: () => void) => () => void;
  /** Frees what it holds; a poll or fetch under way is ended by its own signal. */
  readonly close: () => void;
}
