/**
 * A bundle's `.manifest` as OPA defines it (`manifest.schema.json`), with the members of
 * `metadata` that this gateway reads. Unknown members are kept and mean nothing here.
 */
import * as z from "zod";
import { bundleKinds } from "../contract/bundle.ts";
import { readCounters } from "../contract/counter.ts";
import { readLogMasks } from "../contract/log-mask.ts";
import { BundleError, unexpected } from "./bundle-error.ts";

const libraryShape = { name: z.string(), revision: z.string().optional(), digest: z.string() };

const manifestSchema = z.looseObject({
  revision: z.string().max(256).default(""),
  roots: z.array(z.string()).optional(),
  rego_version: z.int().optional(),
  file_rego_versions: z.record(z.string(), z.int()).optional(),
  wasm: z
    .array(z.looseObject({ entrypoint: z.string(), module: z.string().default("/policy.wasm") }))
    .default([]),
  metadata: z
    .looseObject({
      name: z.string().optional(),
      layer: z.enum(bundleKinds).optional(),
      policy_package: z.string().optional(),
      rules: z.array(z.string()).optional(),
      required_builtins: z.array(z.string()).optional(),
      opa_version: z.string().optional(),
      requires: z.array(z.looseObject(libraryShape)).optional(),
      libraries: z.array(z.looseObject(libraryShape)).optional(),
    })
    .default({}),
});

/** A parsed manifest; the empty one where a bundle ships none. */
export type BundleManifest = z.infer<typeof manifestSchema>;

/**
 * Finds and reads the manifest of a bundle.
 *
 * @param where - bundle for messages
 * @throws BundleError `bundle_manifest_invalid`
 */
export function readBundleManifest(
  files: ReadonlyMap<string, Buffer>,
  where: string,
): BundleManifest {
  const other = [...files.keys()].find(
    (path) => path !== ".manifest" && /\.manifest(?:\.pb)?$/.test(path),
  );
  if (other !== undefined) {
    throw invalid(where, "one manifest, named .manifest at the top", JSON.stringify(other));
  }
  const bytes = files.get(".manifest");
  const json = bytes === undefined ? {} : parseBundleJson(bytes, `${where}: .manifest`);
  const result = manifestSchema.safeParse(json);
  if (result.success) return withReadableMasks(withReadableCounters(result.data, where), where);
  const issue = result.error.issues[0];
  throw invalid(
    where,
    "a .manifest as OPA defines it",
    describe(issue?.path ?? [], issue?.message),
  );
}

/** A counter that cannot be read would be one that does not count. */
function withReadableCounters(manifest: BundleManifest, where: string): BundleManifest {
  const reading = readCounters(manifest.metadata["counters"]);
  if (reading.ok) return manifest;
  const path = ["metadata", "counters", ...reading.path];
  throw invalid(where, "counters that can be read", describe(path, reading.message));
}

/** A mask that cannot be read would be one that hides nothing. */
function withReadableMasks(manifest: BundleManifest, where: string): BundleManifest {
  const reading = readLogMasks(manifest.metadata["masks"]);
  if (reading.ok) return manifest;
  const path = ["metadata", "masks", ...reading.path];
  throw invalid(where, "masks that can be read", describe(path, reading.message));
}

/**
 * Parses a JSON file of a bundle; a byte order mark is passed over as OPA does.
 *
 * @throws BundleError `bundle_manifest_invalid`
 */
export function parseBundleJson(bytes: Buffer, where: string): unknown {
  try {
    return JSON.parse(decodeBundleText(bytes, where));
  } catch (thrown) {
    if (thrown instanceof BundleError) throw thrown;
    throw invalid(where, "JSON", "something else", thrown);
  }
}

/**
 * Decodes a text file of a bundle.
 *
 * @throws BundleError `bundle_manifest_invalid` where it is not UTF-8
 */
export function decodeBundleText(bytes: Buffer, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (thrown) {
    throw invalid(where, "UTF-8 text", "other bytes", thrown);
  }
}

function describe(path: readonly PropertyKey[], message: string | undefined): string {
  return `a problem at "${path.map(String).join(".")}" (${message ?? "unknown"})`;
}

function invalid(where: string, expected: string, found: string, cause?: unknown): BundleError {
  return unexpected("bundle_manifest_invalid", where, expected, found, cause);
}
