/**
 * What the loading of bundles is handed to compile Rego: a folder of sources, or the sources that a
 * bundle ships without a compiled policy.
 */
import * as z from "zod";
import type { BundleDependencies } from "../../bundle/bundle-dependencies.ts";
import type { BundleFiles, PolicySources } from "../../bundle/compile-policy.ts";
import type { LayerKind } from "../../contract/bundle.ts";
import type { JsonObject } from "../../contract/json.ts";
import { withToolchain } from "../with-toolchain.ts";

const dataSchema = z.record(z.string(), z.json());

/**
 * Builds a folder of sources, with the libraries that it requires, into the files of a bundle.
 *
 * @param dependencies - the way to libraries
 */
export async function buildSourceFolder(
  path: string,
  kind: LayerKind,
  dependencies: BundleDependencies,
): Promise<BundleFiles> {
  const { buildPolicyFolder } = await import("../../rego/build-policy-folder.ts");
  const { resolveLibraries } = await import("./resolve-libraries.ts");
  return await withToolchain(async (toolchain) => {
    const tools = { toolchain, dependencies: () => dependencies };
    const built = await buildPolicyFolder(toolchain, path, kind, (sources) =>
      resolveLibraries(sources, path, tools),
    );
    return built.files;
  });
}

/** Compiles the sources that a bundle ships without a compiled policy. */
export async function buildSources(sources: PolicySources, kind: LayerKind): Promise<BundleFiles> {
  const { problemText } = await import("../../rego/problem-text.ts");
  const { revision, roots, metadata, rego_version, file_rego_versions } = sources.manifest;
  const built = await withToolchain((toolchain) =>
    toolchain.build({
      modules: Object.fromEntries(sources.modules),
      data: parseBaseDocument(sources.dataJson),
      manifest: { revision, roots, metadata, rego_version, file_rego_versions },
      layer: kind,
    }),
  );
  if (built.ok) return built.value.files;
  throw new Error(built.problems.map((problem) => problemText(problem)).join("\n"));
}

/** Runs the tests that a bundle ships; a policy that cannot even be tested fails as one. */
export async function testSources(
  { modules, dataJson, manifest: { revision, roots, metadata } }: PolicySources,
  kind: LayerKind,
): Promise<{ readonly passed: number; readonly failed: readonly string[] }> {
  const tested = await withToolchain((toolchain) =>
    toolchain.test({
      modules: Object.fromEntries(modules),
      data: parseBaseDocument(dataJson),
      manifest: { revision, roots, metadata },
      layer: kind,
    }),
  );
  if (!tested.ok) return { passed: 0, failed: ["the policy with its tests does not compile"] };
  const failed = tested.value.tests.filter(({ outcome }) => ["error", "fail"].includes(outcome));
  return {
    passed: tested.value.tests.length - failed.length,
    failed: failed.map(({ name }) => name),
  };
}

/** A base document as the toolchain takes it. */
export function parseBaseDocument(json: string): JsonObject {
  return dataSchema.parse(JSON.parse(json));
}
