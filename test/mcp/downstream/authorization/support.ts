/**
 * What the tests of this folder share: a clock to turn, a real issuer, an issuer that answers what a
 * test wants, and authenticators that count what they fetch.
 */
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { JWTPayload } from "jose";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { OAuth2Server } from "oauth2-mock-server";
import { onTestFinished } from "vitest";
import type { AuthorizationConfig, IssuerConfig } from "../../../../src/config/config.ts";
import type { Clock } from "../../../../src/contract/ambient.ts";
import { createAuthenticator } from "../../../../src/mcp/downstream/authorization/create-authenticator.ts";
import { createTestLog } from "../../../support/log.ts";

export const resource = "https://gateway.example/mcp";
export const startMs = Date.parse("2026-11-22T12:00:00Z");
const startSeconds = startMs / 1000;

/** Both clocks stand still until they are turned; wall time can be turned back, too. */
export function createTestClock(): Clock & {
  readonly advance: (ms: number) => void;
  readonly setWall: (ms: number) => void;
} {
  let wallMs = startMs;
  let monotonicMs = 5_000;
  return {
    nowMs: () => wallMs,
    monotonicMs: () => monotonicMs,
    advance: (ms) => {
      wallMs += ms;
      monotonicMs += ms;
    },
    setWall: (ms) => {
      wallMs = ms;
    },
  };
}

export function issuerConfig(issuer: string, changes: Partial<IssuerConfig> = {}): IssuerConfig {
  return {
    issuer,
    jwksUri: undefined,
    audience: undefined,
    algorithms: ["RS256", "ES256"],
    claims: {
      agent: "client_id",
      user: "sub",
      groups: "groups",
      agentVersion: undefined,
      agentModel: undefined,
      dataClassificationsAuthorized: undefined,
      agentScope: undefined,
      ownerTeam: undefined,
      parent: undefined,
      conversation: undefined,
    },
    ...changes,
  };
}

/** An authenticator with everything that it is handed, for a test to look at. */
export function setUp(
  config: Partial<AuthorizationConfig>,
  changes: { readonly resource?: string; readonly servers?: readonly string[] } = {},
) {
  const clock = createTestClock();
  const log = createTestLog();
  const fetched: string[] = [];
  const authenticator = createAuthenticator({
    config: { issuers: [], tokens: [], ...config },
    resource,
    servers: ["crm", "mail"],
    tenant: "default",
    clock,
    log,
    fetch: (input, init) => {
      fetched.push(input instanceof Request ? input.url : String(input));
      return fetch(input, init);
    },
    ...changes,
  });
  const authenticate = (token: string) =>
    authenticator.authenticate({ authorization: `Bearer ${token}` });
  return { authenticator, authenticate, clock, log, fetched };
}

/** Serves on a free port of this machine until the test ends; `stop` ends it earlier. */
export async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(stop);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { origin: `http://127.0.0.1:${address.port}`, stop };
}

/** oauth2-mock-server with one RS256 key, reached as `http://localhost:PORT`. */
export async function startMockIssuer() {
  const server = new OAuth2Server();
  await server.issuer.keys.generate("RS256");
  await server.start(undefined, "127.0.0.1");
  onTestFinished(() => (server.listening ? server.stop() : undefined));
  const { url } = server.issuer;
  if (url === undefined) throw new Error("the issuer has no URL");
  const tokenOf = (claims: JWTPayload = {}, kid?: string) =>
    server.issuer.buildToken({
      kid,
      scopesOrTransform: (_header, payload) =>
        void Object.assign(payload, usualClaims(url), claims),
    });
  return { server, url, tokenOf };
}

/** Claims of a token that is let in. */
export function usualClaims(issuer: string): JWTPayload {
  return {
    iss: issuer,
    aud: resource,
    sub: "alice",
    client_id: "support-bot",
    scope: "mcp:crm",
    iat: startSeconds,
    nbf: startSeconds,
    exp: startSeconds + 600,
  };
}

/** An issuer, a gate that trusts it, and the reason for which a token is refused at it. */
export async function setUpIssuer(changes: Partial<IssuerConfig> = {}) {
  const issuer = await startIssuer();
  const jwksUri = `${issuer.origin}/jwks`;
  const gate = setUp({ issuers: [issuerConfig(issuer.origin, { jwksUri, ...changes })] });
  const reasonOf = async (token: string): Promise<unknown> => {
    const answer = await gate.authenticate(token);
    if (answer.ok) return "let in";
    if (answer.status !== 401) throw new Error(`expected a 401, found ${answer.status}`);
    return gate.log.lines.findLast(({ message }) => message === "request not authenticated")?.data;
  };
  return { ...issuer, ...gate, jwksUri, reasonOf };
}

/** One part of a hand-made token. */
export function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** A pair of keys with its public JWK, and a way to sign whatever a test wants. */
export async function createSigner(alg = "ES256", kid = "key-1") {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
  const sign = (claims: JWTPayload, header: Readonly<Record<string, unknown>> = {}) =>
    new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey);
  return { jwk, sign, publicKey, privateKey };
}

/**
 * An issuer whose documents a test chooses and changes: what `documents` returns for a path is
 * answered as JSON, a number as that status.
 */
export async function startIssuer(documents?: (path: string, origin: string) => unknown) {
  const signer = await createSigner();
  const state: { keys: readonly unknown[]; readonly requests: string[] } = {
    keys: [signer.jwk],
    requests: [],
  };
  const answer = (path: string): unknown => {
    const chosen = documents?.(path, origin);
    if (chosen !== undefined) return chosen;
    if (path === "/.well-known/oauth-authorization-server") {
      return { issuer: origin, jwks_uri: `${origin}/jwks` };
    }
    return path === "/jwks" ? { keys: state.keys } : 404;
  };
  const { origin, stop } = await serve((request, response) => {
    const path = request.url ?? "/";
    state.requests.push(path);
    const body = answer(path);
    if (typeof body === "number") response.writeHead(body).end();
    else response.setHeader("content-type", "application/json").end(JSON.stringify(body));
  });
  const tokenOf = (claims: JWTPayload = {}, header?: Readonly<Record<string, unknown>>) =>
    signer.sign({ ...usualClaims(origin), ...claims }, header);
  return { origin, stop, state, signer, tokenOf };
}
