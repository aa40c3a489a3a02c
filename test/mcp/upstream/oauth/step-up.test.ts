import { describe, expect, test } from "vitest";
import { loadCredential } from "../../../../src/mcp/upstream/oauth/credential-store.ts";
import { startOauthWorld } from "./oauth-world.ts";
import {
  ask,
  authorizerOf,
  createManualClock,
  loggedIn,
  logIn,
  machine,
  serverAt,
  stateFolder,
} from "./setting.ts";

describe("more scopes", () => {
  test("are asked for at the next login, with those that were there", async () => {
    const { world, authorizer, log, server, stateDir, clock } = await loggedIn();
    world.bends.requiredScopes = ["tools:read", "tools:write"];
    expect(await ask(authorizer, world.url)).toBe(403);
    expect(log.lines).toMatchObject([{ data: { run: "mcp-gateway server login crm" } }]);
    await logIn({ server, stateDir, clock });
    const scope = world.requestsTo("/authorize").at(-1)?.query.get("scope");
    expect(scope).toBe("tools:read tools:write");
    expect(await ask(authorizer, world.url)).toBe(200);
  });

  test("are not asked for because of a 403 that is not about scopes", async () => {
    const { authorizer, stateDir, server } = await loggedIn();
    await authorizer.headers();
    const wwwAuthenticate = 'Bearer error="invalid_token", scope="tools:write"';
    expect(await authorizer.onUnauthorized({ status: 403, wwwAuthenticate })).toBe("give_up");
    expect((await loadCredential(stateDir, server))?.wantedScopes).toEqual([]);
  });

  test("are got at once by a gateway with a grant of its own, together with the old ones", async () => {
    const world = await startOauthWorld();
    const { authorizer } = authorizerOf(
      serverAt(world.url, machine),
      stateFolder(),
      createManualClock(),
    );
    expect(await ask(authorizer, world.url)).toBe(200);
    world.bends.requiredScopes = ["tools:write"];
    expect(await ask(authorizer, world.url)).toBe(200);
    const scope = world.requestsTo("/token").at(-1)?.form.get("scope");
    expect(scope).toBe("tools:read tools:write");
  });

  test("are never got beyond those that the operator listed", async () => {
    const world = await startOauthWorld();
    const server = serverAt(world.url, { ...machine, scopes: ["tools:read"] });
    const { authorizer, log } = authorizerOf(server, stateFolder(), createManualClock());
    await ask(authorizer, world.url);
    world.bends.requiredScopes = ["admin"];
    expect(await ask(authorizer, world.url)).toBe(403);
    expect(world.requestsTo("/token")).toHaveLength(1);
    expect(log.lines.at(-1)?.data).toMatchObject({ key: "servers.crm.oauth.scopes" });
  });

  test("are got twice in ten minutes and no oftener", async () => {
    const world = await startOauthWorld();
    const clock = createManualClock();
    const { authorizer } = authorizerOf(serverAt(world.url, machine), stateFolder(), clock);
    await ask(authorizer, world.url);
    const more = async (scope: string): Promise<string> => {
      const wwwAuthenticate = `Bearer error="insufficient_scope", scope="${scope}"`;
      return await authorizer.onUnauthorized({ status: 403, wwwAuthenticate });
    };
    expect([await more("a"), await more("b"), await more("c")]).toEqual([
      "retry",
      "retry",
      "give_up",
    ]);
    clock.advance(601_000);
    expect(await more("c")).toBe("retry");
  });
});
