/**
 * What this stage needs from the Rego toolchain and is handed: it knows no other stage.
 */
import type { LayerKind } from "../contract/bundle.ts";
import type { BundleManifest } from "./bundle-manifest.ts";

/** A policy as a bundle ships it, without its compiled form. */
export interface PolicySources {
  /** Rego text by path. */
  readonly modules: ReadonlyMap<string, string>;
  /** JSON text of the base document. */
  readonly dataJson: string;
  readonly manifest: BundleManifest;
}

/** The files of a built bundle by path: `policy.wasm`, `data.json`, `.manifest`, the sources. */
export type BundleFiles = ReadonlyMap<string, Uint8Array>;

/** Compiles sources for one kind of layer; rejects with file, line and column of what is wrong. */
export type CompilePolicy = (sources: PolicySources, kind: LayerKind) => Promise<BundleFiles>;

/** Reads and compiles a folder of sources; rejects likewise. */
export type BuildPolicyFolder = (path: string, kind: LayerKind) => Promise<BundleFiles>;
