/**
 * What the `bundle` commands share: the configuration where there is one, credentials, cache and a
 * log that speaks to a person.
 */
import { BundleError } from "../../bundle/bundle-error.ts";
import { openCache, type BundleCache } from "../../bundle/cache.ts";
import {
  parseReference,
  resolveReference,
  type LayoutReference,
  type RegistryReference,
} from "../../bundle/reference.ts";
import type { RegistryOptions } from "../../bundle/sources/registry-session.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { ConfigError } from "../../config/config-error.ts";
import { resolveStatePaths } from "../../config/state-paths.ts";
import type { Log } from "../../contract/ambient.ts";
import { loadConfigFor } from "../common-options.ts";
import type { CliIo } from "../io.ts";
import { registryOptions } from "./gateway-bundles.ts";

export interface BundleContext {
  readonly io: CliIo;
  /** `undefined` where no configuration was found and none was asked for. */
  readonly config: GatewayConfig | undefined;
  readonly registry: RegistryOptions;
  readonly cache: BundleCache;
}

/** The context of one command. */
export function createBundleContext(io: CliIo, configPath: string | undefined): BundleContext {
  const config = loadConfigIfAny(io, configPath);
  const paths = resolveStatePaths(io.env, io.cwd);
  const log = talkingLog(io);
  const registries = config?.registries ?? new Map();
  const registry = registryOptions({ registries, paths, log });
  return { io, config, registry, cache: openCache(paths.cacheDir, log) };
}

/** Reads a reference of the command line; paths are meant relative to the current folder. */
export function artifactReference(io: CliIo, text: string): RegistryReference | LayoutReference {
  const reference = resolveReference(parseReference(text), io.cwd);
  if (reference.scheme !== "file") return reference;
  throw new BundleError(
    "bundle_reference_invalid",
    `bundle reference "${text}": expected oci:// or oci-layout:, found file:, which is a folder of sources and no bundle`,
  );
}

function loadConfigIfAny(io: CliIo, path: string | undefined): GatewayConfig | undefined {
  try {
    return loadConfigFor(io, path).config;
  } catch (thrown) {
    const isNone = thrown instanceof ConfigError && thrown.code === "config_not_found";
    if (isNone && path === undefined) return undefined;
    throw thrown;
  }
}

/** Warnings for a person; what is only interesting in a service is left out. */
function talkingLog(io: CliIo): Log {
  const say =
    (word: string) =>
    (details: object, message: string): void => {
      const problem = "problem" in details ? `: ${String(details.problem)}` : "";
      io.err(`${word}: ${message}${problem}`);
    };
  const log: Log = {
    error: say("error"),
    warn: say("warning"),
    info: ignore,
    debug: ignore,
    child: () => log,
  };
  return log;
}

function ignore(): void {}
