/**
 * What has to be true of the connections on both sides, each rule with its refusal.
 */
import { describe, expect, test } from "vitest";
import { load, minimal, problemsOf, server } from "./support.ts";

const web = { url: "https://x.example/mcp" };
const digest = "0".repeat(64);
const actor = { agent: { id: "a" }, user: { id: "u" } };

function withServer(entry: object): object {
  return { ...minimal, servers: { crm: entry } };
}

function withAuthorization(authorization: object, http: object = {}): object {
  return { ...minimal, servers: { crm: server }, http: { ...http, authorization } };
}

describe("an upstream server", () => {
  test("over HTTP has its defaults", () => {
    const { config, warnings } = load(withServer({ ...web, policy: "oci-layout:dist:crm" }));
    expect(warnings).toEqual([]);
    expect(config.servers.get("crm")).toMatchObject({
      transport: { kind: "http", url: web.url, headers: {}, oauth: undefined },
      protocol: "auto",
      sharing: "principal",
      toClient: [],
      roots: undefined,
      resources: "original",
      idleTimeoutMs: undefined,
      maxConcurrent: 64,
      maxConnections: 1024,
    });
  });

  test("that is started may have fewer connections, since each is a process", () => {
    expect(load(withServer(server)).config.servers.get("crm")?.maxConnections).toBe(32);
  });

  test("that may ask the client has a connection for each session, unless somebody decides", () => {
    const asking = { ...server, to_client: ["elicitation"] };
    expect(load(withServer(asking)).config.servers.get("crm")?.sharing).toBe("session");
    const shared = { ...asking, sharing: "principal" };
    expect(load(withServer(shared)).config.servers.get("crm")?.sharing).toBe("principal");
  });

  test("keeps what was said of its login", () => {
    const oauth = {
      grant: "client_credentials",
      client_id: "c",
      client_secret: "s",
      client_metadata_url: "https://c.example/meta",
      scopes: ["a"],
      issuer: "https://idp.example",
      callback_port: 33_418,
    };
    const { transport } = load(withServer({ ...web, oauth })).config.servers.get("crm") ?? {};
    expect(transport).toMatchObject({
      oauth: {
        grant: "client_credentials",
        clientId: "c",
        clientSecret: "s",
        clientMetadataUrl: "https://c.example/meta",
        scopes: ["a"],
        issuer: "https://idp.example",
        callbackPort: 33_418,
      },
    });
  });

  test.each<[string, object, string]>([
    [
      "with neither command nor url",
      { type: "http", headers: {} },
      "servers.crm: expected either command or url, found neither",
    ],
    [
      "with both",
      { ...web, command: "node" },
      "servers.crm: expected either command or url, found both",
    ],
    [
      "that is started and has headers",
      { command: "node", headers: {} },
      "servers.crm.headers belongs to a server with a url",
    ],
    [
      "that is started and has a login",
      { command: "node", oauth: {} },
      "servers.crm.oauth belongs to a server with a url",
    ],
    [
      "over HTTP with arguments",
      { ...web, args: [] },
      "servers.crm.args belongs to a server with a command",
    ],
    [
      "over HTTP with variables",
      { ...web, env: {} },
      "servers.crm.env belongs to a server with a command",
    ],
    [
      "over HTTP with a folder",
      { ...web, cwd: "." },
      "servers.crm.cwd belongs to a server with a command",
    ],
    [
      "over HTTP of type stdio",
      { ...web, type: "stdio" },
      'servers.crm.type: expected "http" with a url, found "stdio"',
    ],
    [
      "that is started and of transport http",
      { command: "node", transport: "http" },
      'servers.crm.transport: expected "stdio" with a command, found "http"',
    ],
    ["at no URL", { url: "x.example/mcp" }, "servers.crm.url: expected an http:// or https:// URL"],
    ["at a file", { url: "file:///x" }, "servers.crm.url: expected an http:// or https:// URL"],
    [
      "at a URL with a password",
      { url: "https://u:p@x.example" },
      "servers.crm.url: expected a URL without credentials and fragment; use headers or oauth",
    ],
    [
      "at a URL with a fragment",
      { url: "https://x.example/#a" },
      "servers.crm.url: expected a URL without credentials and fragment; use headers or oauth",
    ],
    [
      "with an issuer that is no URL",
      { ...web, oauth: { issuer: "idp" } },
      "servers.crm.oauth.issuer: expected an http:// or https:// URL",
    ],
    [
      "that logs in as a machine without a client",
      { ...web, oauth: { grant: "client_credentials" } },
      'servers.crm.oauth: expected client_id and client_secret with grant "client_credentials"',
    ],
    [
      "that logs in as a machine without a secret",
      { ...web, oauth: { grant: "client_credentials", client_id: "c" } },
      'servers.crm.oauth: expected client_secret with grant "client_credentials"',
    ],
    [
      "of an unknown era",
      { ...web, protocol: "2025-11-25" },
      'servers.crm.protocol: expected one of "auto", "legacy", "modern", found "2025-11-25"',
    ],
    [
      "that may ask for what no client can do",
      { ...web, to_client: ["files"] },
      'servers.crm.to_client.0: expected one of "sampling", "elicitation", "roots", found "files"',
    ],
    [
      "with a root without a URI",
      { ...web, roots: [{ name: "home" }] },
      'missing key "uri" in servers.crm.roots.0; expected a string',
    ],
    [
      "without a turn for anybody",
      { ...web, max_concurrent: 0 },
      "servers.crm.max_concurrent: expected at least 1, found 0",
    ],
    [
      "without a connection for anybody",
      { ...web, max_connections: 0 },
      "servers.crm.max_connections: expected at least 1, found 0",
    ],
    [
      "that is idle for days",
      { ...web, idle_timeout_ms: 86_400_001 },
      "servers.crm.idle_timeout_ms: expected at most 86400000, found 86400001",
    ],
  ])("%s is refused", (_, entry, message) => {
    expect(problemsOf(withServer(entry))).toEqual([message]);
  });
});

describe("authorization of clients", () => {
  const issuer = { issuer: "https://idp.example" };
  const token = { sha256: digest, ...actor };

  test("keeps issuers and tokens, with their defaults", () => {
    const authorization = { issuers: [issuer], tokens: [{ ...token, servers: ["crm"] }] };
    const { http } = load(withAuthorization(authorization)).config;
    expect(http.authorization).toMatchObject({
      issuers: [
        {
          issuer: issuer.issuer,
          jwksUri: undefined,
          audience: undefined,
          algorithms: ["RS256", "ES256", "PS256", "EdDSA"],
          claims: { agent: "client_id", user: "sub", groups: "groups" },
        },
      ],
      tokens: [{ sha256: digest, agent: { id: "a", authenticated: true }, servers: ["crm"] }],
    });
    expect(http).toMatchObject({ maxSessions: 10_000, sessionIdleMs: 1_800_000 });
  });

  test.each(["http://localhost:9/x", "http://127.0.0.1:9/x", "http://[::1]:9/x"])(
    "takes an issuer of this machine without https (%s)",
    (url) => {
      const { http } = load(withAuthorization({ issuers: [{ issuer: url }] })).config;
      expect(http.authorization?.issuers[0]?.issuer).toBe(url);
    },
  );

  test.each<[string, object, string]>([
    [
      "that lets nobody in",
      {},
      "http.authorization: expected issuers or tokens, found neither: nobody could come in",
    ],
    [
      "of an issuer that anybody on the way can imitate",
      { issuers: [{ issuer: "http://idp.example" }] },
      "http.authorization.issuers.0.issuer: expected an https:// URL, found http://",
    ],
    [
      "with keys from where anybody on the way can change them",
      { issuers: [{ ...issuer, jwks_uri: "http://idp.example/keys" }] },
      "http.authorization.issuers.0.jwks_uri: expected an https:// URL, found http://",
    ],
    [
      "of an issuer that is no URL",
      { issuers: [{ issuer: "idp" }] },
      "http.authorization.issuers.0.issuer: expected an http:// or https:// URL",
    ],
    [
      "of one issuer twice",
      { issuers: [issuer, issuer] },
      "http.authorization.issuers.1.issuer: the same as that of http.authorization.issuers.0",
    ],
    [
      "with an algorithm whose secret the issuer shares",
      { issuers: [{ ...issuer, algorithms: ["HS256"] }] },
      'http.authorization.issuers.0.algorithms.0: expected one of "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", found "HS256"',
    ],
    [
      "of one token twice",
      { tokens: [token, token] },
      "http.authorization.tokens.1.sha256: the same as that of http.authorization.tokens.0",
    ],
    [
      "of a token for a server that is not there",
      { tokens: [{ ...token, servers: ["crm", "nope"] }] },
      'http.authorization.tokens.0.servers: there is no server "nope"',
    ],
    [
      "of a token without a user",
      { tokens: [{ sha256: digest, agent: { id: "a" } }] },
      'missing key "user" in http.authorization.tokens.0; expected an object',
    ],
  ])("%s is refused", (_, authorization, message) => {
    expect(problemsOf(withAuthorization(authorization))).toEqual([message]);
  });

  test("with a token itself in place of its digest is refused, and not repeated", () => {
    const problems = problemsOf(withAuthorization({ tokens: [{ ...token, sha256: "s3cret" }] }));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("expected 64 lower-case hexadecimal digits");
    expect(problems[0]).not.toContain("s3cret");
  });
});

describe("the front and its key", () => {
  test.each<[string, object, string]>([
    [
      "a public URL that is none",
      { http: { public_url: "gateway.example" } },
      "http.public_url: expected an http:// or https:// URL",
    ],
    [
      "a public URL with a password",
      { http: { public_url: "https://u:p@gateway.example/mcp" } },
      "http.public_url: expected a URL without credentials and fragment; use headers or oauth",
    ],
    [
      "a body of no size",
      { http: { max_body_bytes: 0 } },
      "http.max_body_bytes: expected at least 1024, found 0",
    ],
    [
      "no session at all",
      { http: { max_sessions: 0 } },
      "http.max_sessions: expected at least 1, found 0",
    ],
  ])("%s is refused", (_, part, message) => {
    expect(problemsOf({ ...minimal, ...part })).toEqual([message]);
  });

  test("a key that could be guessed is refused, and not repeated", () => {
    const problems = problemsOf({ ...minimal, state_key: "short" });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("state_key: expected");
    expect(problems[0]).not.toContain('"short"');
  });
});
