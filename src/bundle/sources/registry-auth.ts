/**
 * How a conversation signs in at its registry: with what was learnt before, else after the registry
 * asked, by Bearer token or Basic. Everything here goes to the one origin of the conversation, and
 * to its token service, and nowhere else.
 */
import type { Dispatcher } from "undici";
import type { AuthMemory } from "./auth-memory.ts";
import type { Challenge } from "./challenge.ts";
import { readChallenges } from "./challenge.ts";
import type { CredentialLookup, Credentials } from "./credentials.ts";
import { requestToken } from "./request-token.ts";
import type { RealmRules } from "./token-realm.ts";
import { checkRealm } from "./token-realm.ts";

/** Signs the requests of one conversation. */
export interface Authenticator {
  /** The header to send unasked, where there is one. */
  readonly headerFor: (method: string) => string | undefined;
  /**
   * What to say to a challenge: a header that is worth one more try.
   *
   * @param refused - the header that the challenge answers
   */
  readonly answerTo: (
    challenge: string | undefined,
    method: string,
    refused: string | undefined,
  ) => Promise<string | undefined>;
  /** Forgets a header that did not help. */
  readonly forget: (header: string) => void;
}

/** What signing in at a registry needs. */
export interface RegistryAuthOptions extends RealmRules {
  readonly repository: string;
  readonly credentials: CredentialLookup;
  readonly memory: AuthMemory;
  /** Connections to a token service. */
  readonly dispatcherFor: (realm: URL) => Dispatcher;
  readonly signal: AbortSignal;
}

/** Signs in at a registry of the distribution specification. */
export function createRegistryAuth(options: RegistryAuthOptions): Authenticator {
  const { origin, memory } = options;
  const keyOf = (method: string): string => `${origin} ${scopeOf(options.repository, method)}`;
  return {
    headerFor: (method) => memory.get(keyOf(method)) ?? memory.get(origin),
    answerTo: async (challenge, method, refused) => {
      if (refused !== undefined) memory.forget(refused);
      const challenges = readChallenges(challenge);
      const bearer = challenges.find(({ scheme }) => scheme === "bearer");
      if (bearer !== undefined) return await answerBearer(options, bearer, method, keyOf(method));
      if (!challenges.some(({ scheme }) => scheme === "basic")) return undefined;
      const credentials = await options.credentials(options.host);
      const header = credentials === undefined ? undefined : basicHeader(credentials);
      if (header !== undefined) memory.set(origin, header);
      return header;
    },
    forget: memory.forget,
  };
}

/** Signs every request alike and answers no challenge: what a server gets that asks for nothing. */
export function createStaticAuth(credentials: Credentials | undefined): Authenticator {
  const header =
    credentials === undefined
      ? undefined
      : "token" in credentials
        ? `Bearer ${credentials.token}`
        : basicHeader(credentials);
  return {
    headerFor: () => header,
    answerTo: () => Promise.resolve(undefined),
    forget: () => {},
  };
}

async function answerBearer(
  options: RegistryAuthOptions,
  { parameters }: Challenge,
  method: string,
  key: string,
): Promise<string | undefined> {
  // Before anything is looked up: to a realm that is not trusted nothing is even prepared.
  const realm = parameters.get("realm");
  const url = realm === undefined ? undefined : checkRealm(realm, options);
  const credentials = await options.credentials(options.host);
  if (credentials !== undefined && "token" in credentials) return `Bearer ${credentials.token}`;
  if (url === undefined) return undefined;
  const { signal, where } = options;
  const { token, forMs } = await requestToken({
    realm: url,
    service: parameters.get("service"),
    scope: scopeOf(options.repository, method),
    credentials,
    dispatcher: options.dispatcherFor(url),
    signal,
    where,
  });
  options.memory.set(key, `Bearer ${token}`, forMs);
  return `Bearer ${token}`;
}

/** Our own, and no wider one that a challenge may name; the empty one to see who somebody is. */
function scopeOf(repository: string, method: string): string {
  if (repository === "") return "";
  const actions = method === "GET" || method === "HEAD" ? "pull" : "pull,push";
  return `repository:${repository}:${actions}`;
}

function basicHeader(credentials: Credentials): string | undefined {
  if (!("username" in credentials)) return undefined;
  const pair = Buffer.from(`${credentials.username}:${credentials.password}`);
  return `Basic ${pair.toString("base64")}`;
}
