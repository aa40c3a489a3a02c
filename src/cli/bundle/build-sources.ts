/**
 * What the loading of bundles is handed to compile Rego: a folder of sources, or the sources that a
 * bundle ships without a compiled policy.
 */
import * as z from "zod";
import type { BundleFiles, PolicySources } from "../../bundle/compile-policy.ts";
import type { LayerKind } from "../../contract/bundle.ts";
import type { JsonObject } from "../../contract/json.ts";
import { withToolchain } from "../with-toolchain.ts";

const dataSchema = z.record(z.string(), z.json());

/** Builds a folder of sources into the files of a bundle. */
export async function buildSourceFolder(path: string, kind?: LayerKind): Promise<BundleFiles> {
  const { buildPolicyFolder } = await import("../../rego/build-policy-folder.ts");
  return await withToolchain(
    async (toolchain) => (await buildPolicyFolder(toolchain, path, kind)).files,
  );
}

/** Compiles the sources that a bundle ships without a compiled policy. */
export async function buildSources(sources: PolicySources, kind: LayerKind): Promise<BundleFiles> {
  const { problemText } = await import("../../rego/problem-text.ts");
  const { revision, roots, metadata } = sources.manifest;
  const built = await withToolchain((toolchain) =>
    toolchain.build({
      modules: Object.fromEntries(sources.modules),
      data: parseBaseDocument(sources.dataJson),
      manifest: { revision, roots, metadata },
      layer: kind,
    }),
  );
  if (built.ok) return built.value.files;
  throw new Error(built.problems.map((problem) => problemText(problem)).join("\n"));
}

/** A base document as the toolchain takes it. */
export function parseBaseDocument(json: string): JsonObject {
  return dataSchema.parse(JSON.parse(json));
}
