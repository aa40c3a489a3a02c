/**
 * What a client that is not let in learns: challenge and metadata, and nothing of its token.
 */
import { describe, expect, test } from "vitest";
import { answerRefusal } from "../../../../src/mcp/downstream/authorization/answer-refusal.ts";
import { resourceMetadataUrl } from "../../../../src/mcp/downstream/authorization/resource-metadata.ts";
import { issuerConfig, resource, setUp, startIssuer } from "./support.ts";

const idp = "https://idp.example";
const where = "https://gateway.example/.well-known/oauth-protected-resource/mcp";

describe("the challenge", () => {
  test("of a request without token says where to get one, and is no error", async () => {
    const { authenticator } = setUp({ issuers: [issuerConfig(idp)] });
    const answer = await authenticator.authenticate({ authorization: undefined });
    expect(answer).toMatchObject({
      status: 401,
      wwwAuthenticate: `Bearer realm="mcp-gateway", resource_metadata="${where}", scope="mcp:crm mcp:mail"`,
    });
  });

  test("of a bad token says invalid_token and why", async () => {
    const issuer = await startIssuer();
    const { authenticate } = setUp({ issuers: [issuerConfig(issuer.origin)] });
    const answer = await authenticate(await issuer.tokenOf({ exp: 1 }));
    expect(answer).toMatchObject({
      status: 401,
      wwwAuthenticate: `Bearer realm="mcp-gateway", resource_metadata="${where}", error="invalid_token", error_description="the token has expired", scope="mcp:crm mcp:mail"`,
    });
  });

  test("names a claim by its configured name, in characters that a header may hold", () => {
    const claim = 'https://example.com/"ä\r\nX: y\\';
    const answer = answerRefusal(
      { ok: false, reason: "claim_missing", claim },
      { metadataUrl: undefined, servers: [] },
    );
    expect(answer).toMatchObject({
      wwwAuthenticate:
        'Bearer realm="mcp-gateway", error="invalid_token", error_description="the token has no claim https://example.com/????X: y?"',
    });
  });

  test("leaves out scopes that would not fit a header; metadata has them", () => {
    const servers = Array.from({ length: 200 }, (_, index) => `server-with-a-long-name-${index}`);
    const { authenticator } = setUp({ issuers: [issuerConfig(idp)] }, { servers });
    const answer = answerRefusal(
      { ok: false, reason: "scope_insufficient" },
      { metadataUrl: where, servers },
    );
    expect(answer).toMatchObject({ wwwAuthenticate: expect.not.stringContaining("scope=") });
    expect(authenticator.metadata?.scopes_supported).toHaveLength(200);
  });

  test("holds no part of a refused token, nor does the log", async () => {
    const issuer = await startIssuer();
    const { authenticate, log } = setUp({ issuers: [issuerConfig(issuer.origin)] });
    const canary = "canary-5f1e";
    const tokens = [
      await issuer.tokenOf({ sub: `${canary}\u0000` }),
      await issuer.tokenOf({ aud: canary }),
      await issuer.tokenOf({ iss: canary }),
      await issuer.tokenOf({ scope: canary }),
      await issuer.tokenOf({}, { kid: canary }),
      await issuer.tokenOf({}, { typ: canary }),
      canary,
      `${canary}.${canary}.${canary}`,
    ];
    for (const token of tokens) {
      const told = JSON.stringify([await authenticate(token), log.lines]);
      expect(told).toContain("not authenticated");
      expect(told).not.toContain(canary);
      expect(token.split(".").filter((part) => told.includes(part))).toEqual([]);
    }
  });
});

describe("the metadata", () => {
  test("names the gateway, its issuers and a scope for each server", () => {
    const { authenticator } = setUp({ issuers: [issuerConfig(idp)] });
    expect(authenticator.metadata).toEqual({
      resource,
      authorization_servers: [idp],
      scopes_supported: ["mcp:crm", "mcp:mail"],
      bearer_methods_supported: ["header"],
      resource_name: "mcp-gateway",
    });
    expect(authenticator.metadataUrl).toBe(where);
  });

  test("leaves out scopes where there is no server", () => {
    const { authenticator } = setUp({ issuers: [issuerConfig(idp)] }, { servers: [] });
    expect(authenticator.metadata).not.toHaveProperty("scopes_supported");
  });

  test("is found between host and path of the gateway", () => {
    const name = "/.well-known/oauth-protected-resource";
    expect(resourceMetadataUrl("https://a.example")).toBe(`https://a.example${name}`);
    expect(resourceMetadataUrl("https://a.example/")).toBe(`https://a.example${name}`);
    expect(resourceMetadataUrl("http://127.0.0.1:81/x/mcp?t=1")).toBe(
      `http://127.0.0.1:81${name}/x/mcp?t=1`,
    );
  });
});

describe("the log", () => {
  test("has a reason once, then at most every ten seconds with the number left out", async () => {
    const { authenticate, clock, log } = setUp({ issuers: [issuerConfig(idp)] });
    for (let count = 0; count < 50; count += 1) await authenticate(`unknown-${count}`);
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]).toMatchObject({
      level: "warn",
      data: { reason: "token_unknown", suppressed: 0 },
    });
    clock.advance(10_000);
    await authenticate("unknown");
    expect(log.lines).toHaveLength(2);
    expect(log.lines[1]?.data).toMatchObject({ reason: "token_unknown", suppressed: 49 });
  });

  test("has other reasons meanwhile, and the first steps of clients only for debugging", async () => {
    const { authenticator, authenticate, log } = setUp({ issuers: [issuerConfig(idp)] });
    await authenticate("unknown");
    await authenticator.authenticate({ authorization: undefined });
    await authenticator.authenticate({ authorization: "Basic YTpi" });
    expect(log.lines.map(({ level, data }) => [level, data])).toEqual([
      ["warn", expect.objectContaining({ reason: "token_unknown" })],
      ["debug", expect.objectContaining({ reason: "token_missing" })],
      ["warn", expect.objectContaining({ reason: "scheme_unknown" })],
    ]);
  });
});
