/**
 * Shows a login to a registry, as `docker login` does: by its base endpoint, which every registry
 * has and which says nothing but whether somebody may come in.
 */
import { createAuthMemory } from "./auth-memory.ts";
import type { Credentials } from "./credentials.ts";
import { failureOf } from "./registry-failure.ts";
import { exchange } from "./registry-request.ts";
import type { RegistryOptions } from "./registry-session.ts";
import { closeSession, openSession } from "./registry-session.ts";

const maxAnswerBytes = 64 * 1024;

/**
 * Tries a login.
 *
 * @returns whether the registry wanted to see it at all
 * @throws BundleError `bundle_unauthorized` where it is refused, and the errors of the registry
 */
export async function checkLogin(
  host: string,
  credentials: Credentials,
  options: RegistryOptions,
): Promise<{ readonly wasAsked: boolean }> {
  const session = await openSession(
    { host, repository: "", where: `registry ${host}` },
    { ...options, credentials: () => credentials, memory: createAuthMemory(options.clock) },
  );
  try {
    const url = new URL("/v2/", session.origin);
    const answer = await exchange(session, { method: "GET", url, maxBytes: maxAnswerBytes });
    if (answer.status === 200) return { wasAsked: session.hasSignedIn };
    throw failureOf(session, answer, "it to take this login");
  } finally {
    await closeSession(session);
  }
}
