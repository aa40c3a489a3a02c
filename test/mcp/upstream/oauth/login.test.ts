import { statSync } from "node:fs";
import { join } from "node:path";
import { OAuth2Server } from "oauth2-mock-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { basic, startOauthWorld } from "./oauth-world.ts";
import { logIn, serverAt, stateFolder, storedFiles } from "./setting.ts";

describe("a login", () => {
  test("registers, proves possession of the code and keeps tokens for the owner alone", async () => {
    const world = await startOauthWorld();
    const stateDir = stateFolder();
    const credential = await logIn({ server: serverAt(world.url), stateDir });
    expect(credential).toMatchObject({ issuer: world.origin, resource: world.url });
    expect(credential.tokens.scopes).toEqual(["tools:read"]);
    const [file] = storedFiles(stateDir);
    expect(file?.name).toMatch(/^crm-[0-9a-f]{32}\.json$/);
    expect(file?.text).toContain(credential.tokens.accessToken);
    expect(statSync(join(stateDir, "oauth")).mode & 0o777).toBe(0o700);
    expect(statSync(join(stateDir, "oauth", file?.name ?? "")).mode & 0o777).toBe(0o600);
  });

  test("names the resource in both requests and registers as a native application", async () => {
    const world = await startOauthWorld();
    await logIn({ server: serverAt(world.url), stateDir: stateFolder() });
    const [authorization] = world.requestsTo("/authorize");
    const [token] = world.requestsTo("/token");
    expect(authorization?.query.get("resource")).toBe(world.url);
    expect(token?.form.get("resource")).toBe(world.url);
    expect(authorization?.query.get("code_challenge_method")).toBe("S256");
    expect(authorization?.query.get("state")).toMatch(/^[\w-]{43}$/);
    const [registration] = world.requestsTo("/register");
    expect(JSON.parse(registration?.body ?? "")).toMatchObject({
      application_type: "native",
      grant_types: ["authorization_code", "refresh_token"],
      token_endpoint_auth_method: "none",
    });
  });

  test("asks the server without a token first and never with one", async () => {
    const world = await startOauthWorld();
    await logIn({ server: serverAt(world.url), stateDir: stateFolder() });
    const probes = world.requestsTo("/mcp");
    expect(probes.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  test("uses a registration again where its redirect address is still free", async () => {
    const world = await startOauthWorld();
    const setting = { server: serverAt(world.url), stateDir: stateFolder() };
    const first = await logIn(setting);
    const second = await logIn(setting);
    expect(second.client).toEqual(first.client);
    expect(world.requestsTo("/register")).toHaveLength(1);
  });

  test("registers anew at another issuer and forgets the old one's credentials", async () => {
    const [old, fresh] = [await startOauthWorld(), await startOauthWorld()];
    const setting = { server: serverAt(old.url), stateDir: stateFolder() };
    const before = await logIn(setting);
    old.bends.protectedResource = (document) => ({
      ...document,
      authorization_servers: [fresh.origin],
    });
    const after = await logIn(setting);
    expect(after.issuer).toBe(fresh.origin);
    const sent = JSON.stringify(fresh.seen.map(({ body, query }) => [body, query.toString()]));
    expect(sent).not.toContain(before.client.clientId);
    expect(storedFiles(setting.stateDir)).toHaveLength(1);
    expect(storedFiles(setting.stateDir)[0]?.text).not.toContain(before.client.clientId);
  });

  test("is known by its metadata document where the authorization server reads such", async () => {
    const world = await startOauthWorld();
    world.bends.authorizationServer = (document) => ({
      ...document,
      client_id_metadata_document_supported: true,
    });
    const clientMetadataUrl = "https://gateway.example/client.json";
    const server = serverAt(world.url, { clientMetadataUrl });
    const { client } = await logIn({ server, stateDir: stateFolder() });
    expect(client).toMatchObject({ kind: "metadata_document", clientId: clientMetadataUrl });
    expect(world.requestsTo("/register")).toEqual([]);
  });

  test("uses the operator's client and keeps its secret out of the store", async () => {
    const world = await startOauthWorld();
    world.bends.authorizationServer = (document) => ({
      ...document,
      token_endpoint_auth_methods_supported: ["client_secret_basic"],
    });
    const stateDir = stateFolder();
    const oauth = { clientId: "gateway", clientSecret: "s3cret-of-the-operator" };
    await logIn({ server: serverAt(world.url, oauth), stateDir });
    const [token] = world.requestsTo("/token");
    expect(basic(token?.headers ?? {})).toEqual(["gateway", "s3cret-of-the-operator"]);
    expect(storedFiles(stateDir)[0]?.text).not.toContain("s3cret");
  });

  test("asks for the scopes of the challenge before those of the resource", async () => {
    const world = await startOauthWorld();
    world.bends.challenge = `Bearer resource_metadata="${world.origin}/.well-known/oauth-protected-resource/mcp", scope="tools:read tools:write"`;
    await logIn({ server: serverAt(world.url), stateDir: stateFolder() });
    const [authorization] = world.requestsTo("/authorize");
    expect(authorization?.query.get("scope")).toBe("tools:read tools:write");
  });

  test("asks for no scopes but the operator's where there are such", async () => {
    const world = await startOauthWorld();
    world.bends.challenge = `Bearer scope="everything"`;
    const server = serverAt(world.url, { scopes: ["tools:read"] });
    await logIn({ server, stateDir: stateFolder() });
    const [authorization] = world.requestsTo("/authorize");
    expect(authorization?.query.get("scope")).toBe("tools:read");
  });

  test("asks for offline access where the authorization server has it", async () => {
    const world = await startOauthWorld();
    world.bends.authorizationServer = (document) => ({
      ...document,
      scopes_supported: ["tools:read", "offline_access"],
    });
    await logIn({ server: serverAt(world.url), stateDir: stateFolder() });
    const [authorization] = world.requestsTo("/authorize");
    expect(authorization?.query.get("scope")).toBe("tools:read offline_access");
  });

  test("works with an authorization server that was not written for this test", async () => {
    const mock = new OAuth2Server();
    await mock.issuer.keys.generate("RS256");
    await mock.start(0, "127.0.0.1");
    onTestFinished(async () => await mock.stop());
    const issuer = mock.issuer.url ?? "";
    const world = await startOauthWorld();
    world.bends.protectedResource = (document) => ({
      ...document,
      authorization_servers: [issuer],
    });
    const server = serverAt(world.url, { clientId: "gateway" });
    const { tokens } = await logIn({ server, stateDir: stateFolder() });
    expect(tokens.accessToken?.split(".")).toHaveLength(3);
    expect(tokens.refreshToken).toBeDefined();
  });
});
