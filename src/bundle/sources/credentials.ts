/**
 * Credentials of registries, each for one exact host. They are asked for when a registry wants
 * some, and not kept here: whoever logs in anew, or rotates a password, is heard without a restart.
 * The order is the config, then Podman's file, then Docker's.
 */
import type { Log } from "../../contract/ambient.ts";
import { messageOf } from "../../errors.ts";
import type { AuthFile } from "./auth-file.ts";
import { hostNames, readAuthFile } from "./auth-file.ts";

/** What somebody proves with that they may. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  /** A refresh token for the registry's token service (Docker's `identitytoken`). */
  | { readonly identityToken: string }
  /** A bearer token that is sent as it is. */
  | { readonly token: string };

/** Credentials for exactly this `host` or `host:port`; never those of a similar one. */
export type CredentialLookup = (
  host: string,
) => Credentials | undefined | Promise<Credentials | undefined>;

/** Where credentials are looked for. */
export interface CredentialPlaces {
  /** What the config says of a host. */
  readonly configured: (host: string) => ConfiguredCredentials | undefined;
  /** Files as Docker and Podman write them, the first one asked first; missing ones are passed over. */
  readonly authFiles: readonly string[];
  /** Runs the credential helper of a name for a host. */
  readonly askHelper: (helper: string, host: string) => Promise<Credentials | undefined>;
  readonly log: Log;
}

/** The part of a registry's configuration that says who somebody is. */
export interface ConfiguredCredentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  readonly credentialHelper?: string | undefined;
}

/**
 * Asks the places in their order. A broken file is a warning, since it is not ours; a helper that
 * fails is an error, since going on without it would ask as nobody.
 */
export function createCredentialLookup(places: CredentialPlaces): CredentialLookup {
  return async (host) => {
    const configured = places.configured(host);
    const own = configured === undefined ? undefined : staticCredentials(configured);
    if (own !== undefined) return own;
    if (configured?.credentialHelper !== undefined) {
      return await places.askHelper(configured.credentialHelper, host);
    }
    for (const path of places.authFiles) {
      const file = await readOrWarn(path, places.log);
      const found = file === undefined ? undefined : await lookInFile(file, host, places);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** The credentials that a configuration spells out; `undefined` where it has none. */
export function staticCredentials(configured: ConfiguredCredentials): Credentials | undefined {
  const { username, password, token } = configured;
  if (token !== undefined) return { token };
  return username === undefined || password === undefined ? undefined : { username, password };
}

/** A helper named for the host comes first, then the file's own entry, then the general helper. */
async function lookInFile(
  { auths, credHelpers, credsStore }: AuthFile,
  host: string,
  { askHelper }: CredentialPlaces,
): Promise<Credentials | undefined> {
  for (const name of hostNames(host)) {
    const helper = credHelpers.get(name);
    if (helper !== undefined) return await askHelper(helper, name);
  }
  for (const name of hostNames(host)) {
    const found = auths.get(name);
    if (found !== undefined) return found;
  }
  if (credsStore === undefined) return undefined;
  for (const name of hostNames(host)) {
    const found = await askHelper(credsStore, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function readOrWarn(path: string, log: Log): Promise<AuthFile | undefined> {
  try {
    return await readAuthFile(path);
  } catch (thrown) {
    const problem = messageOf(thrown);
    log.warn({ path, problem }, "registry login file is not readable, going on without it");
    return undefined;
  }
}
