/**
 * An MCP endpoint and its authorization server on one loopback port, written to the specifications:
 * protected resource metadata, RFC 8414, registration, PKCE, rotating refresh tokens whose reuse
 * ends the login, revocation. Each document and answer can be bent by a test.
 */
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { onTestFinished } from "vitest";

type Document = Readonly<Record<string, unknown>>;

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly form: URLSearchParams;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a test may bend; by default everything is as it should be. */
export interface Bends {
  protectedResource: (document: Document) => Document;
  authorizationServer: (document: Document) => Document;
  /** Parameters of the redirect back to the gateway. */
  callback: (parameters: Record<string, string>) => Record<string, string>;
  /** Takes the place of whatever would be answered at this path. */
  answers: Map<string, Answer>;
  tokenAnswer: (answer: Document) => Document;
  challenge: string | undefined;
  /** Scopes without which the endpoint answers 403. */
  requiredScopes: readonly string[];
  expiresIn: number | undefined;
  /** Grants no refresh tokens. */
  withoutRefresh: boolean;
}

export interface OauthWorld {
  readonly origin: string;
  /** The MCP endpoint. */
  readonly url: string;
  readonly bends: Bends;
  readonly seen: readonly SeenRequest[];
  readonly requestsTo: (path: string) => readonly SeenRequest[];
  /** Makes every access token bad from now on. */
  readonly expireAccessTokens: () => void;
}

interface Grant {
  readonly clientId: string;
  readonly scope: string;
  readonly challenge?: string;
  readonly redirectUri?: string;
  readonly resource: string | null;
}

/** Starts a world that ends with the test. */
export async function startOauthWorld(): Promise<OauthWorld> {
  const seen: SeenRequest[] = [];
  const bends: Bends = {
    protectedResource: (document) => document,
    authorizationServer: (document) => document,
    callback: (parameters) => parameters,
    answers: new Map(),
    tokenAnswer: (answer) => answer,
    challenge: undefined,
    requiredScopes: [],
    expiresIn: 3600,
    withoutRefresh: false,
  };
  const codes = new Map<string, Grant>();
  const refreshTokens = new Map<string, Grant>();
  const accessTokens = new Map<string, Grant>();
  const server = createServer((request, response) => {
    void readRequest(request).then((read) => {
      seen.push(read);
      const bent = bends.answers.get(read.path);
      if (bent === undefined) handle(read, response);
      else reply(response, bent.status, bent.body, bent.headers);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const origin = `http://127.0.0.1:${port}`;
  const url = `${origin}/mcp`;

  function handle(request: SeenRequest, response: ServerResponse): void {
    const routes: Readonly<Record<string, () => void>> = {
      "/mcp": () => endpoint(request, response),
      "/.well-known/oauth-protected-resource/mcp": () =>
        json(
          response,
          200,
          bends.protectedResource({
            resource: url,
            authorization_servers: [origin],
            scopes_supported: ["tools:read"],
          }),
        ),
      "/.well-known/oauth-authorization-server": () =>
        json(response, 200, bends.authorizationServer(metadata())),
      "/register": () =>
        json(response, 201, { ...JSON.parse(request.body), client_id: `client-${randomUUID()}` }),
      "/authorize": () => authorize(request, response),
      "/token": () => token(request, response),
      "/revoke": () => revoke(request, response),
    };
    const route = routes[request.path];
    if (route === undefined) reply(response, 404, "nothing here");
    else route();
  }

  function metadata(): Document {
    return {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
      revocation_endpoint: `${origin}/revoke`,
      response_types_supported: ["code"],
      code_challenge_methods_supported: ["S256"],
      token_endpoint_auth_methods_supported: ["none", "client_secret_basic"],
      authorization_response_iss_parameter_supported: true,
    };
  }

  function endpoint({ headers }: SeenRequest, response: ServerResponse): void {
    const grant = accessTokens.get(headers.authorization?.replace("Bearer ", "") ?? "");
    const missing = bends.requiredScopes.filter((each) => !grant?.scope.split(" ").includes(each));
    if (grant === undefined || grant.resource !== url) {
      const plain = `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`;
      reply(response, 401, "", { "www-authenticate": bends.challenge ?? plain });
    } else if (missing.length > 0) {
      const challenge = `Bearer error="insufficient_scope", scope="${missing.join(" ")}"`;
      reply(response, 403, "", { "www-authenticate": challenge });
    } else {
      json(response, 200, { jsonrpc: "2.0", id: 1, result: {} });
    }
  }

  function authorize({ query }: SeenRequest, response: ServerResponse): void {
    const code = randomUUID();
    const redirectUri = query.get("redirect_uri") ?? "";
    codes.set(code, {
      clientId: query.get("client_id") ?? "",
      scope: query.get("scope") ?? "",
      challenge: query.get("code_challenge") ?? "",
      redirectUri,
      resource: query.get("resource"),
    });
    const state = query.get("state") ?? "";
    const target = new URL(redirectUri);
    target.search = new URLSearchParams(bends.callback({ code, state, iss: origin })).toString();
    reply(response, 302, "", { location: target.href });
  }

  function token({ form, headers }: SeenRequest, response: ServerResponse): void {
    const grant = grantOf(form, headers);
    if (grant === undefined) return json(response, 400, { error: "invalid_grant" });
    const accessToken = `access-${randomUUID()}`;
    accessTokens.set(accessToken, grant);
    const refreshToken = `refresh-${randomUUID()}`;
    const refreshable = !bends.withoutRefresh && form.get("grant_type") !== "client_credentials";
    if (refreshable) refreshTokens.set(refreshToken, grant);
    const answer = {
      access_token: accessToken,
      token_type: "Bearer",
      ...(grant.scope === "" ? {} : { scope: grant.scope }),
      ...(bends.expiresIn === undefined ? {} : { expires_in: bends.expiresIn }),
      ...(refreshable ? { refresh_token: refreshToken } : {}),
    };
    json(response, 200, bends.tokenAnswer(answer));
  }

  function grantOf(form: URLSearchParams, headers: SeenRequest["headers"]): Grant | undefined {
    if (form.get("grant_type") === "client_credentials") {
      const [clientId = ""] = basic(headers);
      return { clientId, scope: form.get("scope") ?? "", resource: form.get("resource") };
    }
    if (form.get("grant_type") === "refresh_token") {
      const grant = refreshTokens.get(form.get("refresh_token") ?? "");
      // Used twice: somebody stole it, and nobody keeps anything.
      if (grant === undefined) refreshTokens.clear();
      refreshTokens.delete(form.get("refresh_token") ?? "");
      return grant;
    }
    const grant = codes.get(form.get("code") ?? "");
    codes.delete(form.get("code") ?? "");
    const hash = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    const isRight =
      grant?.challenge === hash &&
      grant.redirectUri === form.get("redirect_uri") &&
      grant.clientId === (form.get("client_id") ?? basic(headers)[0]) &&
      grant.resource === form.get("resource");
    return isRight ? grant : undefined;
  }

  function revoke({ form }: SeenRequest, response: ServerResponse): void {
    accessTokens.delete(form.get("token") ?? "");
    refreshTokens.delete(form.get("token") ?? "");
    reply(response, 200, "");
  }

  return {
    origin,
    url,
    bends,
    seen,
    requestsTo: (path) => seen.filter((request) => request.path === path),
    expireAccessTokens: () => accessTokens.clear(),
  };
}

/** A bend that takes a member out. */
export function without<Value>(
  key: string,
): (document: Readonly<Record<string, Value>>) => Record<string, Value> {
  return (document) =>
    Object.fromEntries(Object.entries(document).filter(([name]) => name !== key));
}

/** Id and secret of HTTP Basic authentication. */
export function basic(headers: IncomingMessage["headers"]): readonly string[] {
  const encoded = headers.authorization?.replace("Basic ", "") ?? "";
  return Buffer.from(encoded, "base64").toString().split(":");
}

async function readRequest(request: IncomingMessage): Promise<SeenRequest> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks).toString();
  const target = new URL(request.url ?? "/", "http://127.0.0.1");
  return {
    method: request.method ?? "",
    path: target.pathname,
    query: target.searchParams,
    headers: request.headers,
    body,
    form: new URLSearchParams(body),
  };
}

function json(response: ServerResponse, status: number, document: Document): void {
  reply(response, status, JSON.stringify(document), { "content-type": "application/json" });
}

function reply(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, headers).end(body);
}
