/**
 * Puts together what the loading of bundles needs: credentials from the config and from Docker, the
 * cache folder, and the way to the Rego toolchain.
 */
import type { BundleDependencies } from "../../bundle/bundle-dependencies.ts";
import { createAuthMemory } from "../../bundle/sources/auth-memory.ts";
import { askHelper } from "../../bundle/sources/credential-helper.ts";
import { createCredentialLookup } from "../../bundle/sources/credentials.ts";
import type { RegistryOptions } from "../../bundle/sources/registry-session.ts";
import { systemClock } from "../../config/ambient.ts";
import type { RegistryConfig } from "../../config/registry-config.ts";
import type { StatePaths } from "../../config/state-paths.ts";
import type { Log } from "../../contract/ambient.ts";
import { buildSourceFolder, buildSources } from "./build-sources.ts";

export interface BundleSetting {
  /** What the config says of each host; empty where there is none. */
  readonly registries: ReadonlyMap<string, RegistryConfig>;
  readonly paths: Pick<StatePaths, "cacheDir" | "dockerConfigPath" | "podmanAuthPaths">;
  /** Of credential helpers and of `git`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** True lets `file:` references through. */
  readonly dev: boolean;
  readonly log: Log;
}

/** What the loading of bundles needs, as the gateway has it. */
export function bundleDependencies(setting: BundleSetting): BundleDependencies {
  const dependencies: BundleDependencies = {
    dev: setting.dev,
    cachePath: setting.paths.cacheDir,
    registry: registryOptions(setting),
    env: setting.env,
    compile: buildSources,
    buildFolder: (path, kind) => buildSourceFolder(path, kind, dependencies),
    log: setting.log,
  };
  return dependencies;
}

/** How to talk to registries with these credentials. */
export function registryOptions({
  registries,
  paths,
  env,
  log,
}: Omit<BundleSetting, "dev">): RegistryOptions {
  return {
    clock: systemClock,
    settings: (host) => registries.get(host),
    memory: createAuthMemory(systemClock),
    log,
    credentials: createCredentialLookup({
      configured: (host) => registries.get(host),
      authFiles: [...paths.podmanAuthPaths, paths.dockerConfigPath],
      askHelper: (helper, host) => askHelper(helper, host, { env }),
      log,
    }),
  };
}
