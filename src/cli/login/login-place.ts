/**
 * Where a login is kept: in the file that is named, else where Docker would keep it, which may be
 * the program that its file names.
 */
import { resolve } from "node:path";
import { parseReference } from "../../bundle/reference.ts";
import { hostNames, keyOfHost, readAuthFile } from "../../bundle/sources/auth-file.ts";
import { resolveStatePaths } from "../../config/state-paths.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";

/** A login file, or a credential helper and the name that it knows the host by. */
export type LoginPlace =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "helper"; readonly helper: string; readonly key: string };

/** The place for the login of one host. */
export async function findLoginPlace(
  io: CliIo,
  host: string,
  authfile: string | undefined,
): Promise<LoginPlace> {
  if (authfile !== undefined) return { kind: "file", path: resolve(io.cwd, authfile) };
  const { dockerConfigPath, podmanAuthPaths } = resolveStatePaths(io.env, io.cwd);
  const isNamed = (io.env["REGISTRY_AUTH_FILE"] ?? "") !== "";
  const path = (isNamed ? podmanAuthPaths[0] : undefined) ?? dockerConfigPath;
  const file = await readAuthFile(path);
  const named = hostNames(host).flatMap((name) => file?.credHelpers.get(name) ?? []);
  const helper = named[0] ?? file?.credsStore;
  return helper === undefined
    ? { kind: "file", path }
    : { kind: "helper", helper, key: keyOfHost(host) };
}

/**
 * The host as references have it.
 *
 * @throws CliError usage
 */
export function registryHost(text: string): string {
  const isHost = /^[^/@\s]+$/.test(text);
  const parsed = isHost ? parseReference(`oci://${text}/repository`) : undefined;
  if (parsed?.scheme === "oci") return parsed.host;
  throw new CliError(
    exitCodes.usage,
    "expected the host of a registry with its port, found a URL or something else",
  );
}
