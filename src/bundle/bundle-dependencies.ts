/**
 * What the loading of bundles is handed by whoever puts the gateway together.
 */
import type { Log } from "../contract/ambient.ts";
import type { BuildPolicyFolder, CompilePolicy } from "./compile-policy.ts";
import type { RegistryOptions } from "./sources/registry-session.ts";

/** What loading needs and does not have of its own. */
export interface BundleDependencies {
  /** True under `serve --dev` and in commands that work on sources: `file:` may be used. */
  readonly dev: boolean;
  /** Folder of the cache; `undefined` works without one. */
  readonly cachePath: string | undefined;
  readonly registry: RegistryOptions;
  /** Of the `git` program, which gets a few of its variables; none where it is left out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** `undefined` refuses bundles without compiled policy. */
  readonly compile: CompilePolicy | undefined;
  /** `undefined` refuses `file:`. */
  readonly buildFolder: BuildPolicyFolder | undefined;
  readonly log: Log;
}
