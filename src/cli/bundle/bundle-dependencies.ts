/**
 * Puts together what the loading of bundles needs: credentials from the config and from Docker,
 * the cache folder, and the Rego toolchain, which is loaded when the first policy has to be
 * compiled and not before.
 */
import { readFileSync } from "node:fs";
import * as z from "zod";
import type { BundleDependencies } from "../../bundle/bundle-dependencies.ts";
import type { BundleFiles, PolicySources } from "../../bundle/compile-policy.ts";
import { createCredentialLookup, type Credentials } from "../../bundle/sources/credentials.ts";
import type { RegistryOptions } from "../../bundle/sources/registry-session.ts";
import { systemClock } from "../../config/ambient.ts";
import type { StatePaths } from "../../config/state-paths.ts";
import type { Log } from "../../contract/ambient.ts";
import type { LayerKind } from "../../contract/bundle.ts";
import type { RegoToolchain } from "../../rego/create-rego-toolchain.ts";

export interface BundleSetting {
  /** Credentials of the config, by host; empty where there is none. */
  readonly registries: ReadonlyMap<string, Credentials>;
  readonly paths: Pick<StatePaths, "cacheDir" | "dockerConfigPath">;
  /** True lets `file:` references through. */
  readonly dev: boolean;
  readonly log: Log;
}

/** Dependencies of `loadBundle` as the command line and the gateway have them. */
export function bundleDependencies(setting: BundleSetting): BundleDependencies {
  return {
    dev: setting.dev,
    cachePath: setting.paths.cacheDir,
    registry: registryOptions(setting),
    compile: buildSources,
    buildFolder: buildSourceFolder,
    log: setting.log,
  };
}

/** How to talk to registries with these credentials. */
export function registryOptions({ registries, paths, log }: BundleSetting): RegistryOptions {
  const dockerConfigJson = readIfThere(paths.dockerConfigPath);
  return {
    clock: systemClock,
    credentials: createCredentialLookup(registries, dockerConfigJson, log),
  };
}

/** Builds a folder of sources into the files of a bundle. */
export async function buildSourceFolder(path: string, kind?: LayerKind): Promise<BundleFiles> {
  const { buildPolicyFolder } = await import("../../rego/build-policy-folder.ts");
  return await withToolchain(
    async (toolchain) => (await buildPolicyFolder(toolchain, path, kind)).files,
  );
}

const manifestSchema = z.object({
  revision: z.string().optional(),
  roots: z.array(z.string()).optional(),
  metadata: z.record(z.string(), z.json()).optional(),
});
const dataSchema = z.record(z.string(), z.json());

/** Compiles the sources that a bundle ships without a compiled policy. */
export async function buildSources(sources: PolicySources, kind: LayerKind): Promise<BundleFiles> {
  const { revision, roots, metadata } = manifestSchema.parse(sources.manifest);
  const { problemText } = await import("../../rego/problem-text.ts");
  const built = await withToolchain((toolchain) =>
    toolchain.build({
      modules: Object.fromEntries(sources.modules),
      data: dataSchema.parse(JSON.parse(sources.dataJson)),
      manifest: {
        ...(revision === undefined ? {} : { revision }),
        ...(roots === undefined ? {} : { roots }),
        ...(metadata === undefined ? {} : { metadata }),
      },
      layer: kind,
    }),
  );
  if (built.ok) return built.value.files;
  throw new Error(built.problems.map((problem) => problemText(problem, "")).join("\n"));
}

async function withToolchain<Value>(
  use: (toolchain: RegoToolchain) => Promise<Value>,
): Promise<Value> {
  const { createRegoToolchain } = await import("../../rego/create-rego-toolchain.ts");
  const toolchain = createRegoToolchain();
  try {
    return await use(toolchain);
  } finally {
    await toolchain.close();
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
