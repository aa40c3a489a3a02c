import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { logout } from "../../../../src/mcp/upstream/oauth/logout.ts";
import { createGuardedFetch } from "../../../../src/mcp/upstream/oauth/guarded-fetch.ts";
import {
  loadCredential,
  saveCredential,
} from "../../../../src/mcp/upstream/oauth/credential-store.ts";
import { basic, startOauthWorld } from "./oauth-world.ts";
import {
  ask,
  authorizerOf,
  createManualClock,
  loggedIn,
  logIn,
  machine,
  serverAt,
  stateFolder,
  storedFiles,
} from "./setting.ts";

function refreshesOf({ requestsTo }: Awaited<ReturnType<typeof startOauthWorld>>): number {
  return requestsTo("/token").filter(({ form }) => form.get("grant_type") === "refresh_token")
    .length;
}

describe("a server that wants a login", () => {
  test("gets no header, and the log says what to type", async () => {
    const world = await startOauthWorld();
    const { authorizer, log } = authorizerOf(
      serverAt(world.url),
      stateFolder(),
      createManualClock(),
    );
    expect(await authorizer.headers()).toEqual({});
    expect(await ask(authorizer, world.url)).toBe(401);
    expect(log.lines).toMatchObject([
      { level: "warn", data: { server: "crm", run: "mcp-gateway server login crm" } },
    ]);
    expect(world.requestsTo("/.well-known/oauth-authorization-server")).toEqual([]);
  });

  test("is told of once a minute, however often it refuses", async () => {
    const world = await startOauthWorld();
    const clock = createManualClock();
    const { authorizer, log } = authorizerOf(serverAt(world.url), stateFolder(), clock);
    for (let round = 0; round < 5; round += 1) await ask(authorizer, world.url);
    expect(log.lines).toHaveLength(1);
    clock.advance(61_000);
    await ask(authorizer, world.url);
    expect(log.lines).toHaveLength(2);
  });

  test("works in a running gateway once somebody has logged in elsewhere", async () => {
    const world = await startOauthWorld();
    const server = serverAt(world.url);
    const [stateDir, clock] = [stateFolder(), createManualClock()];
    const { authorizer } = authorizerOf(server, stateDir, clock);
    expect(await ask(authorizer, world.url)).toBe(401);
    await logIn({ server, stateDir, clock });
    expect(await ask(authorizer, world.url)).toBe(200);
  });
});

describe("a login", () => {
  test("is used for every request and asks nobody", async () => {
    const { world, authorizer, credential } = await loggedIn();
    const before = world.seen.length;
    expect(await authorizer.headers()).toEqual({
      authorization: `Bearer ${credential.tokens.accessToken}`,
    });
    expect(world.seen).toHaveLength(before);
    expect(await ask(authorizer, world.url)).toBe(200);
  });

  test("is refreshed before its time is over, with the resource", async () => {
    const { world, authorizer, clock } = await loggedIn();
    clock.advance(3_590_000);
    expect(await ask(authorizer, world.url)).toBe(200);
    expect(refreshesOf(world)).toBe(1);
    expect(world.requestsTo("/token").at(-1)?.form.get("resource")).toBe(world.url);
  });

  test("is refreshed once for a hundred requests at a time", async () => {
    const { world, authorizer, clock } = await loggedIn();
    clock.advance(3_600_000);
    const statuses = await Promise.all(
      Array.from({ length: 100 }, async () => await ask(authorizer, world.url)),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(refreshesOf(world)).toBe(1);
  });

  test("is refreshed once by several gateways, whose second use would end it", async () => {
    const { world, authorizer, clock, server, stateDir } = await loggedIn();
    const others = [1, 2, 3].map(() => authorizerOf(server, stateDir, clock).authorizer);
    const all = [authorizer, ...others];
    for (const each of all) await each.headers();
    world.expireAccessTokens();
    const statuses = await Promise.all(all.map(async (each) => await ask(each, world.url)));
    expect(statuses).toEqual([200, 200, 200, 200]);
    expect(refreshesOf(world)).toBe(1);
  });

  test("is refreshed where the server refuses a token early", async () => {
    const { world, authorizer } = await loggedIn();
    world.expireAccessTokens();
    expect(await ask(authorizer, world.url)).toBe(200);
  });

  test("has to be made again where its refresh token is refused", async () => {
    const { world, authorizer, log, stateDir, server } = await loggedIn();
    world.expireAccessTokens();
    world.bends.answers.set("/token", { status: 400, body: '{"error":"invalid_grant"}' });
    expect(await ask(authorizer, world.url)).toBe(401);
    expect(log.lines.at(-1)).toMatchObject({ message: "server wants a login" });
    const kept = await loadCredential(stateDir, server);
    expect(kept?.tokens.refreshToken).toBeUndefined();
    expect(kept?.client.kind).toBe("registered");
  });

  test("survives an authorization server that is down for a while", async () => {
    const { world, authorizer, clock, stateDir, server } = await loggedIn();
    world.expireAccessTokens();
    world.bends.answers.set("/.well-known/oauth-authorization-server", { status: 503, body: "" });
    expect(await ask(authorizer, world.url)).toBe(401);
    const asked = world.requestsTo("/.well-known/oauth-authorization-server").length;
    expect(await ask(authorizer, world.url)).toBe(401);
    expect(world.requestsTo("/.well-known/oauth-authorization-server")).toHaveLength(asked);
    expect((await loadCredential(stateDir, server))?.tokens.refreshToken).toBeDefined();
    world.bends.answers.clear();
    clock.advance(11_000);
    expect(await ask(authorizer, world.url)).toBe(200);
  });

  test("sends an expired token rather than none", async () => {
    const world = await startOauthWorld();
    world.bends.withoutRefresh = true;
    const server = serverAt(world.url);
    const [stateDir, clock] = [stateFolder(), createManualClock()];
    await logIn({ server, stateDir, clock });
    clock.advance(7_200_000);
    const { authorizer } = authorizerOf(server, stateDir, clock);
    expect(await authorizer.headers()).toHaveProperty("authorization");
  });

  test("is over in a running gateway after a logout, which revokes both tokens", async () => {
    const { world, authorizer, clock, server, stateDir, credential } = await loggedIn();
    await authorizer.headers();
    const fetch = createGuardedFetch(server);
    expect(await logout({ server, clock, fetch }, stateDir)).toEqual({
      removed: true,
      revocation: "done",
    });
    const { accessToken, refreshToken } = credential.tokens;
    const revoked = world.requestsTo("/revoke").map(({ form }) => form.get("token"));
    expect(revoked).toEqual([refreshToken, accessToken]);
    clock.advance(6_000);
    expect(await authorizer.headers()).toEqual({});
  });

  test("is forgotten even where nobody can be asked to revoke it", async () => {
    const { world, clock, server, stateDir } = await loggedIn();
    world.bends.answers.set("/revoke", { status: 500, body: "" });
    const report = await logout({ server, clock, fetch: createGuardedFetch(server) }, stateDir);
    expect(report).toEqual({ removed: true, revocation: "failed" });
    expect(await loadCredential(stateDir, server)).toBeUndefined();
  });

  test("does not count for a client or an issuer that the operator has replaced", async () => {
    const { world, stateDir, clock } = await loggedIn();
    for (const oauth of [{ clientId: "other" }, { issuer: "https://sso.example" }]) {
      const { authorizer } = authorizerOf(serverAt(world.url, oauth), stateDir, clock);
      expect(await authorizer.headers()).toEqual({});
    }
  });

  test("is never sent to a URL of plain http over a network", async () => {
    const { credential, stateDir, clock } = await loggedIn();
    const url = "http://mcp.example/mcp";
    await saveCredential(stateDir, { ...credential, url });
    const { authorizer, log } = authorizerOf(serverAt(url), stateDir, clock);
    expect(await authorizer.headers()).toEqual({});
    expect(log.lines).toMatchObject([{ data: { code: "oauth_url_refused" } }]);
  });

  test("in a file that others can read is not used, and the log says so once a minute", async () => {
    const { authorizer, log, stateDir, clock } = await loggedIn();
    const [file] = storedFiles(stateDir);
    chmodSync(join(stateDir, "oauth", file?.name ?? ""), 0o644);
    for (let round = 0; round < 3; round += 1) {
      expect(await authorizer.headers()).toEqual({});
      clock.advance(6_000);
    }
    expect(log.lines).toMatchObject([{ level: "warn", data: { code: "oauth_store_insecure" } }]);
  });

  test("that was refused says nothing of its tokens in the log", async () => {
    const { world, authorizer, log, credential } = await loggedIn();
    world.expireAccessTokens();
    const { accessToken = "", refreshToken = "" } = credential.tokens;
    const echo = `${accessToken} ${refreshToken}`;
    world.bends.answers.set("/token", { status: 400, body: JSON.stringify({ error: echo }) });
    await ask(authorizer, world.url);
    expect(log.lines.length).toBeGreaterThan(0);
    expect(JSON.stringify(log.lines)).not.toContain(accessToken);
    expect(JSON.stringify(log.lines)).not.toContain(refreshToken);
  });
});

describe("a gateway with a grant of its own", () => {
  test("gets a token when the server asks for one, with its secret in the header", async () => {
    const world = await startOauthWorld();
    world.bends.authorizationServer = (document) => ({
      ...document,
      token_endpoint_auth_methods_supported: ["client_secret_basic"],
    });
    const { authorizer } = authorizerOf(
      serverAt(world.url, machine),
      stateFolder(),
      createManualClock(),
    );
    expect(await authorizer.headers()).toEqual({});
    expect(await ask(authorizer, world.url)).toBe(200);
    const [token] = world.requestsTo("/token");
    expect(basic(token?.headers ?? {})).toEqual(["gateway", "s3cret-of-the-operator"]);
    expect(token?.form.get("resource")).toBe(world.url);
  });

  test("gets a new one before the old one ends, without being asked", async () => {
    const world = await startOauthWorld();
    const clock = createManualClock();
    const { authorizer } = authorizerOf(serverAt(world.url, machine), stateFolder(), clock);
    await ask(authorizer, world.url);
    clock.advance(3_600_000);
    const before = world.requestsTo("/mcp").length;
    expect(await ask(authorizer, world.url)).toBe(200);
    expect(world.requestsTo("/mcp")).toHaveLength(before + 1);
    expect(world.requestsTo("/token")).toHaveLength(2);
  });

  test("does not send its secret to an authorization server that the server names later", async () => {
    const [first, second] = [await startOauthWorld(), await startOauthWorld()];
    const clock = createManualClock();
    const { authorizer, log } = authorizerOf(serverAt(first.url, machine), stateFolder(), clock);
    expect(await ask(authorizer, first.url)).toBe(200);
    first.expireAccessTokens();
    first.bends.protectedResource = (document) => ({
      ...document,
      authorization_servers: [second.origin],
    });
    clock.advance(10_000);
    expect(await ask(authorizer, first.url)).toBe(401);
    expect(second.requestsTo("/.well-known/oauth-authorization-server")).toHaveLength(1);
    expect(second.requestsTo("/token")).toEqual([]);
    expect(log.lines).toMatchObject([{ data: { code: "oauth_issuer_mismatch" } }]);
  });

  test("without a secret says which key is missing", async () => {
    const world = await startOauthWorld();
    const server = serverAt(world.url, { ...machine, clientSecret: undefined });
    const { authorizer, log } = authorizerOf(server, stateFolder(), createManualClock());
    expect(await ask(authorizer, world.url)).toBe(401);
    expect(log.lines).toMatchObject([{ data: { code: "oauth_client_missing" } }]);
  });
});
