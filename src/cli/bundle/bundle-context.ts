/**
 * What the `bundle` commands share: the configuration where there is one, credentials, cache and a
 * log that speaks to a person.
 */
import { BundleError, type BundleErrorCode } from "../../bundle/bundle-error.ts";
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
import { resolveConfigPath } from "../../config/config-path.ts";
import { loadConfig } from "../../config/load-config.ts";
import { resolveStatePaths } from "../../config/state-paths.ts";
import type { Log } from "../../contract/ambient.ts";
import { RegoError } from "../../rego/rego-error.ts";
import { CliError, exitCodes, type CliIo, type ExitCode } from "../io.ts";
import { registryOptions } from "./bundle-dependencies.ts";

export interface BundleContext {
  readonly io: CliIo;
  /** `undefined` where no configuration was found and none was asked for. */
  readonly config: GatewayConfig | undefined;
  readonly registry: RegistryOptions;
  readonly cache: BundleCache;
}

/** Exit code of each failure. */
const exitCodeOf: Readonly<Record<BundleErrorCode, ExitCode>> = {
  bundle_reference_invalid: exitCodes.usage,
  bundle_not_found: exitCodes.unreachable,
  bundle_unauthorized: exitCodes.unauthorised,
  bundle_unreachable: exitCodes.unreachable,
  bundle_protocol_invalid: exitCodes.unreachable,
  bundle_digest_mismatch: exitCodes.unverified,
  bundle_too_large: exitCodes.unverified,
  bundle_redirect_refused: exitCodes.unverified,
  bundle_artifact_unsupported: exitCodes.invalid,
  bundle_archive_invalid: exitCodes.invalid,
  bundle_archive_unsafe: exitCodes.unverified,
  bundle_manifest_invalid: exitCodes.invalid,
  bundle_without_policy: exitCodes.invalid,
  bundle_wasm_invalid: exitCodes.invalid,
  bundle_compile_failed: exitCodes.invalid,
  bundle_name_mismatch: exitCodes.unverified,
  bundle_kind_mismatch: exitCodes.unverified,
  bundle_storage_failed: exitCodes.unexpected,
};

/** Runs a command with its context; a failure becomes a message and the exit code of its kind. */
export async function withBundleContext(
  io: CliIo,
  options: { readonly config?: string },
  run: (context: BundleContext) => Promise<void>,
): Promise<void> {
  try {
    await run(createContext(io, options));
  } catch (thrown) {
    throw asCliError(thrown);
  }
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

function createContext(io: CliIo, options: { readonly config?: string }): BundleContext {
  const config = loadConfigIfAny(io, options.config);
  const paths = resolveStatePaths(io.env, io.cwd);
  const log = talkingLog(io);
  const cache = openCache(paths.cacheDir, log);
  const setting = { registries: config?.registries ?? new Map(), paths, dev: true, log };
  return { io, config, registry: registryOptions(setting), cache };
}

function loadConfigIfAny(io: CliIo, path: string | undefined): GatewayConfig | undefined {
  try {
    return loadConfig({ path: resolveConfigPath({ config: path }, io.env, io.cwd), env: io.env })
      .config;
  } catch (thrown) {
    const isNone = thrown instanceof ConfigError && thrown.code === "config_not_found";
    if (isNone && path === undefined) return undefined;
    throw thrown;
  }
}

function asCliError(thrown: unknown): unknown {
  if (thrown instanceof BundleError) return describe(exitCodeOf[thrown.code], thrown);
  if (thrown instanceof ConfigError) return describe(exitCodes.invalid, thrown);
  if (!(thrown instanceof RegoError)) return thrown;
  const isInvalid = thrown.code === "rego_invalid";
  return describe(isInvalid ? exitCodes.invalid : exitCodes.unexpected, thrown);
}

function describe(exitCode: ExitCode, thrown: BundleError | ConfigError | RegoError): CliError {
  return new CliError(exitCode, `${thrown.message} [${thrown.code}]`, { cause: thrown });
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
