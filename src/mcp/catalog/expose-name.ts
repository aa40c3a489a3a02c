/**
 * Names of tools and prompts as clients see them. Clients fold names to `[A-Za-z0-9_-]` and some
 * drop the second of two that become equal, so that names are unique after folding, whatever they
 * are exposed as.
 */
import type { NamedServer } from "./resource-uri.ts";

const maxExposedLength = 128;

/** `crm__get_customer`, folded; with `naming: "bare"` exactly the name that the server gave. */
export function exposeName(server: NamedServer, name: string): string {
  return server.naming === "bare" ? name : `${server.id}__${foldName(name)}`;
}

/** A name in the characters that every client keeps. */
export function foldName(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/gu, "_");
}

/** Why this name cannot be exposed, for the operator's log; `servers` are all that are configured. */
export function nameProblem(
  server: NamedServer,
  exposedName: string,
  servers: readonly NamedServer[],
): string | undefined {
  if (exposedName.length > maxExposedLength) {
    return `its exposed name is longer than ${maxExposedLength} characters`;
  }
  const folded = foldName(exposedName);
  const owner = servers.find(({ id }) => id !== server.id && folded.startsWith(`${id}__`));
  return owner === undefined ? undefined : `its bare name begins like one of server "${owner.id}"`;
}
