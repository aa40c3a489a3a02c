/**
 * User names and passwords of registries, each for one exact host: from the config's `registries`
 * and from what `docker login` left in Docker's `config.json`. Credential helpers and identity
 * tokens belong to token authentication and are passed over.
 */
import * as z from "zod";
import type { Log } from "../../contract/ambient.ts";
import { messageOf } from "../../errors.ts";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Credentials for exactly this `host` or `host:port`; never those of a similar one. */
export type CredentialLookup = (host: string) => Credentials | undefined;

const dockerConfigSchema = z.looseObject({
  auths: z
    .record(
      z.string(),
      z.looseObject({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
      }),
    )
    .default({}),
});

/**
 * Reads the static logins of Docker's `config.json`, by host.
 *
 * @param configJson - text of the file
 * @throws SyntaxError or ZodError where it is not such a file
 */
export function readDockerCredentials(configJson: string): ReadonlyMap<string, Credentials> {
  const { auths } = dockerConfigSchema.parse(JSON.parse(configJson));
  const found = new Map<string, Credentials>();
  for (const [key, entry] of Object.entries(auths)) {
    const credentials = readEntry(entry);
    if (credentials !== undefined) found.set(hostOfKey(key), credentials);
  }
  return found;
}

/** Asks the config first, then Docker's; a broken Docker file is a warning, since it is not ours. */
export function createCredentialLookup(
  configured: ReadonlyMap<string, Credentials>,
  dockerConfigJson: string | undefined,
  log: Log,
): CredentialLookup {
  const docker = readOrWarn(dockerConfigJson, log);
  return (host) => configured.get(host) ?? docker.get(host);
}

function readOrWarn(configJson: string | undefined, log: Log): ReadonlyMap<string, Credentials> {
  if (configJson === undefined) return new Map();
  try {
    return readDockerCredentials(configJson);
  } catch (thrown) {
    const problem = thrown instanceof SyntaxError ? "it is not JSON" : kindOf(thrown);
    log.warn({ problem }, "docker config.json is not readable, going on without it");
    return new Map();
  }
}

/** Parse errors quote the text, which here holds passwords. */
function kindOf(thrown: unknown): string {
  return thrown instanceof z.ZodError ? "it has another shape" : messageOf(thrown);
}

function readEntry(entry: {
  readonly auth?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}): Credentials | undefined {
  const { auth, username, password } = entry;
  if (username !== undefined && password !== undefined) return { username, password };
  const decoded = Buffer.from(auth ?? "", "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon <= 0) return undefined;
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** Docker writes hosts bare or as `https://host/v1/`. */
function hostOfKey(key: string): string {
  return /^https:\/\/([^/]+)\/?(?:v[12]\/?)?$/.exec(key)?.[1] ?? key;
}
