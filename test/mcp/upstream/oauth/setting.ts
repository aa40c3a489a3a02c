/**
 * A server entry, a state folder and a person with a browser, for tests of the OAuth client.
 */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../../../src/contract/ambient.ts";
import type { HttpAuthorizer } from "../../../../src/mcp/upstream/http/http-authorizer.ts";
import type { Credential } from "../../../../src/mcp/upstream/oauth/credential.ts";
import { createGuardedFetch } from "../../../../src/mcp/upstream/oauth/guarded-fetch.ts";
import { login } from "../../../../src/mcp/upstream/oauth/login.ts";
import type { OauthServer } from "../../../../src/mcp/upstream/oauth/oauth-server.ts";
import { createUpstreamAuthorizer } from "../../../../src/mcp/upstream/oauth/create-upstream-authorizer.ts";
import { createTestLog } from "../../../support/log.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { startOauthWorld } from "./oauth-world.ts";

type Oauth = NonNullable<OauthServer["oauth"]>;

/** The entry `crm` with these settings on top of the defaults. */
export function serverAt(url: string, oauth: Partial<Oauth> = {}): OauthServer {
  return {
    id: "crm",
    url,
    oauth: {
      grant: "authorization_code",
      clientId: undefined,
      clientSecret: undefined,
      clientMetadataUrl: undefined,
      scopes: [],
      issuer: undefined,
      callbackPort: undefined,
      ...oauth,
    },
  };
}

/** A clock that goes on by hand. */
export function createManualClock(): Clock & { readonly advance: (milliseconds: number) => void } {
  let passedMs = 0;
  return {
    nowMs: () => 1_800_000_000_000 + passedMs,
    monotonicMs: () => 1_000_000 + passedMs,
    advance: (milliseconds) => {
      passedMs += milliseconds;
    },
  };
}

/** A private state folder. */
export function stateFolder(): string {
  const folder = join(temporaryFolder(), "state");
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}

export interface LoginSetting {
  readonly server: OauthServer;
  readonly stateDir: string;
  readonly clock?: Clock;
  /** What the person does with the URL; default: follows it to where it leads. */
  readonly visit?: (url: URL) => Promise<unknown>;
  readonly timeoutMs?: number;
}

/** One login of a person who agrees to everything. */
export async function logIn(setting: LoginSetting): Promise<Credential> {
  const { server, stateDir, visit = followIt } = setting;
  const visits: Promise<unknown>[] = [];
  const credential = await login({
    server,
    stateDir,
    clock: setting.clock ?? createManualClock(),
    fetch: createGuardedFetch(server),
    timeoutMs: setting.timeoutMs ?? 5_000,
    showUrl: (url) => void visits.push(visit(url)),
  });
  await Promise.all(visits);
  return credential;
}

async function followIt(url: URL): Promise<unknown> {
  // The listener may be closed before its page is read.
  return await fetch(url).catch(() => undefined);
}

/** An authorizer with its log. */
export function authorizerOf(server: OauthServer, stateDir: string, clock: Clock) {
  const log = createTestLog();
  return { log, authorizer: createUpstreamAuthorizer({ server, stateDir, clock, log }) };
}

/** A request to the endpoint as the HTTP transport makes it; the final status. */
export async function ask(authorizer: HttpAuthorizer, url: string, tries = 3): Promise<number> {
  const headers = await authorizer.headers();
  const response = await fetch(url, { method: "POST", headers, body: "{}" });
  await response.arrayBuffer();
  const { status } = response;
  if (status !== 401 && status !== 403) return status;
  const wwwAuthenticate = response.headers.get("www-authenticate") ?? undefined;
  const verdict = await authorizer.onUnauthorized({ status, wwwAuthenticate });
  return verdict === "retry" && tries > 1 ? await ask(authorizer, url, tries - 1) : status;
}

/** The files of the store, with what is in them. */
export function storedFiles(stateDir: string): readonly { name: string; text: string }[] {
  const folder = join(stateDir, "oauth");
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
}

/** A client of the gateway's own. */
export const machine = {
  grant: "client_credentials",
  clientId: "gateway",
  clientSecret: "s3cret-of-the-operator",
} as const;

/** A world, a login in it, and an authorizer that has it. */
export async function loggedIn() {
  const world = await startOauthWorld();
  const clock = createManualClock();
  const server = serverAt(world.url);
  const stateDir = stateFolder();
  const credential = await logIn({ server, stateDir, clock });
  return { world, clock, server, stateDir, credential, ...authorizerOf(server, stateDir, clock) };
}
