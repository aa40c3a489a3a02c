import { createServer } from "node:http";
import { once } from "node:events";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { OauthError } from "../../../../src/mcp/upstream/oauth/oauth-error.ts";
import { startOauthWorld, without } from "./oauth-world.ts";
import type { OauthWorld } from "./oauth-world.ts";
import { logIn, serverAt, stateFolder } from "./setting.ts";

const stranger = "stranger-danger";

/** The error of a login; the test fails where it works. */
async function refusalOf(
  world: OauthWorld,
  oauth: Parameters<typeof serverAt>[1] = {},
): Promise<OauthError> {
  const thrown = await logIn({ server: serverAt(world.url, oauth), stateDir: stateFolder() }).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof OauthError)) throw new Error("expected a refusal", { cause: thrown });
  return thrown;
}

describe("metadata is refused", () => {
  test("where its issuer is not the one that was asked", async () => {
    const world = await startOauthWorld();
    world.bends.authorizationServer = (document) => ({
      ...document,
      issuer: "https://elsewhere.example",
    });
    expect((await refusalOf(world)).code).toBe("oauth_issuer_mismatch");
    expect(world.requestsTo("/register")).toEqual([]);
  });

  test("where the resource is another origin's", async () => {
    const world = await startOauthWorld();
    world.bends.protectedResource = (document) => ({
      ...document,
      resource: "https://elsewhere.example/mcp",
    });
    expect((await refusalOf(world)).code).toBe("oauth_resource_mismatch");
    expect(world.requestsTo("/.well-known/oauth-authorization-server")).toEqual([]);
  });

  test("where it says nothing of PKCE", async () => {
    const world = await startOauthWorld();
    world.bends.authorizationServer = without("code_challenge_methods_supported");
    expect((await refusalOf(world)).code).toBe("oauth_pkce_unsupported");
    expect(world.requestsTo("/register")).toEqual([]);
  });

  test("where PKCE is plain only", async () => {
    const world = await startOauthWorld();
    world.bends.authorizationServer = (document) => ({
      ...document,
      code_challenge_methods_supported: ["plain"],
    });
    expect((await refusalOf(world)).code).toBe("oauth_pkce_unsupported");
  });

  test("where there is none, and no endpoint is guessed", async () => {
    const world = await startOauthWorld();
    world.bends.answers.set("/.well-known/oauth-authorization-server", { status: 404, body: "" });
    expect((await refusalOf(world)).code).toBe("oauth_metadata_missing");
    expect(world.requestsTo("/register")).toEqual([]);
  });

  test("where it is no JSON", async () => {
    const world = await startOauthWorld();
    world.bends.answers.set("/.well-known/oauth-authorization-server", {
      status: 200,
      body: `<html>${stranger}</html>`,
    });
    const { code, message } = await refusalOf(world);
    expect(code).toBe("oauth_metadata_invalid");
    expect(message).not.toContain(stranger);
  });

  test("where it is larger than a mebibyte", async () => {
    const world = await startOauthWorld();
    world.bends.authorizationServer = (document) => ({ ...document, padding: "x".repeat(2 ** 20) });
    expect((await refusalOf(world)).code).toBe("oauth_response_too_large");
  });

  test("where it redirects to another origin", async () => {
    const world = await startOauthWorld();
    const other = await startOauthWorld();
    const path = "/.well-known/oauth-authorization-server";
    world.bends.answers.set(path, {
      status: 302,
      body: "",
      headers: { location: `${other.origin}${path}` },
    });
    expect((await refusalOf(world)).code).toBe("oauth_url_refused");
    expect(other.seen).toEqual([]);
  });

  test("where the challenge's metadata is on a private network", async () => {
    const world = await startOauthWorld();
    world.bends.challenge = `Bearer resource_metadata="https://10.1.2.3/metadata"`;
    expect((await refusalOf(world)).code).toBe("oauth_url_refused");
  });

  test("where the authorization server is at a cloud's metadata address", async () => {
    const world = await startOauthWorld();
    world.bends.protectedResource = (document) => ({
      ...document,
      authorization_servers: ["https://169.254.169.254/latest"],
    });
    expect((await refusalOf(world)).code).toBe("oauth_url_refused");
  });

  test("where the authorization server speaks plain http over a network", async () => {
    const world = await startOauthWorld();
    world.bends.protectedResource = (document) => ({
      ...document,
      authorization_servers: ["http://auth.example"],
    });
    expect((await refusalOf(world)).code).toBe("oauth_url_refused");
  });

  test("where it names another issuer than the operator", async () => {
    const world = await startOauthWorld();
    const { code } = await refusalOf(world, { issuer: "https://sso.example" });
    expect(code).toBe("oauth_issuer_mismatch");
    expect(world.requestsTo("/.well-known/oauth-authorization-server")).toEqual([]);
  });
});

describe("an authorization endpoint is never shown", () => {
  const endpoints = [
    "javascript:alert(1)",
    "file:///etc/passwd",
    "http://auth.example/authorize",
    "calculator://run",
    "https://user:word@auth.example/authorize",
  ];
  test.each(endpoints)("where it is %s", async (endpoint) => {
    const world = await startOauthWorld();
    world.bends.authorizationServer = (document) => ({
      ...document,
      authorization_endpoint: endpoint,
    });
    const shown: URL[] = [];
    const visit = async (url: URL): Promise<void> => void shown.push(url);
    const attempt = logIn({ server: serverAt(world.url), stateDir: stateFolder(), visit });
    await expect(attempt).rejects.toMatchObject({
      code: expect.stringMatching(/oauth_url_refused|oauth_metadata_invalid/),
    });
    expect(shown).toEqual([]);
    expect(world.requestsTo("/register")).toEqual([]);
  });
});

describe("an answer to the login is refused before a code is sent", () => {
  test("where its issuer is another one (mix-up)", async () => {
    const world = await startOauthWorld();
    world.bends.callback = (parameters) => ({ ...parameters, iss: `https://${stranger}` });
    const { code, message } = await refusalOf(world);
    expect(code).toBe("oauth_issuer_mismatch");
    expect(message).not.toContain(stranger);
    expect(world.requestsTo("/token")).toEqual([]);
  });

  test("where its issuer differs in a slash only", async () => {
    const world = await startOauthWorld();
    world.bends.callback = (parameters) => ({ ...parameters, iss: `${world.origin}/` });
    expect((await refusalOf(world)).code).toBe("oauth_issuer_mismatch");
    expect(world.requestsTo("/token")).toEqual([]);
  });

  test("where its issuer is missing though promised", async () => {
    const world = await startOauthWorld();
    world.bends.callback = without("iss");
    expect((await refusalOf(world)).code).toBe("oauth_issuer_mismatch");
    expect(world.requestsTo("/token")).toEqual([]);
  });

  test("where it is an error, whose text is not repeated", async () => {
    const world = await startOauthWorld();
    world.bends.callback = (parameters) => ({
      ...without<string>("code")(parameters),
      error: "access_denied",
      error_description: stranger,
    });
    const { code, message } = await refusalOf(world);
    expect(code).toBe("oauth_denied");
    expect(message).toContain("access_denied");
    expect(message).not.toContain(stranger);
  });

  test("where it is an error of a stranger, which is not believed", async () => {
    const world = await startOauthWorld();
    world.bends.callback = (parameters) => ({
      ...without<string>("code")(parameters),
      error: "access_denied",
      iss: "https://elsewhere.example",
    });
    expect((await refusalOf(world)).code).toBe("oauth_issuer_mismatch");
  });
});

describe("a token endpoint", () => {
  test("that echoes secrets gets them into no message, no cause and no stream", async () => {
    const written = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const world = await startOauthWorld();
    const secret = "s3cret-of-the-operator";
    world.bends.answers.set("/token", {
      status: 400,
      body: JSON.stringify({ error: `no ${secret}`, error_description: `${secret} is wrong` }),
    });
    const refusal = await refusalOf(world, { clientId: "gateway", clientSecret: secret });
    expect(refusal.code).toBe("oauth_denied");
    expect(`${refusal.stack} ${String(refusal.cause)}`).not.toContain(secret);
    expect(JSON.stringify([written.mock.calls, warned.mock.calls])).not.toContain(secret);
  });

  test("that answers an unusable page gets none of it into the message", async () => {
    const world = await startOauthWorld();
    world.bends.answers.set("/token", { status: 500, body: `<html>${stranger}</html>` });
    const { code, message } = await refusalOf(world);
    expect(code).toBe("oauth_denied");
    expect(message).not.toContain(stranger);
  });

  test("that gives a token of another type is of no use", async () => {
    const world = await startOauthWorld();
    world.bends.tokenAnswer = (answer) => ({ ...answer, token_type: "DPoP" });
    expect((await refusalOf(world)).code).toBe("oauth_token_invalid");
  });

  test("that gives a token with a line break smuggles no header", async () => {
    const world = await startOauthWorld();
    world.bends.tokenAnswer = (answer) => ({ ...answer, access_token: "a\r\nx-evil: 1" });
    expect((await refusalOf(world)).code).toBe("oauth_token_invalid");
  });

  test("that redirects the request with the code is not followed", async () => {
    const world = await startOauthWorld();
    const other = await startOauthWorld();
    world.bends.answers.set("/token", {
      status: 307,
      body: "",
      headers: { location: `${other.origin}/token` },
    });
    expect((await refusalOf(world)).code).toBe("oauth_url_refused");
    expect(other.seen).toEqual([]);
  });
});

describe("a client", () => {
  test("that cannot be registered has to be named by the operator", async () => {
    const world = await startOauthWorld();
    world.bends.authorizationServer = without("registration_endpoint");
    const { code, message } = await refusalOf(world);
    expect(code).toBe("oauth_client_missing");
    expect(message).toContain("servers.crm.oauth.client_id");
  });

  test("whose registration is refused learns the status and nothing else", async () => {
    const world = await startOauthWorld();
    world.bends.answers.set("/register", { status: 403, body: stranger });
    const { code, message } = await refusalOf(world);
    expect(code).toBe("oauth_client_missing");
    expect(message).toContain("403");
    expect(message).not.toContain(stranger);
  });

  test("keeps its secret from an issuer that did not get it first", async () => {
    const [first, second] = [await startOauthWorld(), await startOauthWorld()];
    const oauth = { clientId: "gateway", clientSecret: "s3cret-of-the-operator" };
    const setting = { server: serverAt(first.url, oauth), stateDir: stateFolder() };
    await logIn(setting);
    first.bends.protectedResource = (document) => ({
      ...document,
      authorization_servers: [second.origin],
    });
    await expect(logIn(setting)).rejects.toMatchObject({ code: "oauth_issuer_mismatch" });
    expect(second.requestsTo("/token")).toEqual([]);
  });
});

test("a server that is not there is unreachable", async () => {
  const listener = createServer();
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await new Promise((resolve) => void listener.close(resolve));
  const server = serverAt(`http://127.0.0.1:${port}/mcp`);
  const attempt = logIn({ server, stateDir: stateFolder() });
  await expect(attempt).rejects.toMatchObject({ code: "oauth_unreachable" });
});
