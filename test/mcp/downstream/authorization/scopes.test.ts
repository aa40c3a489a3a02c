/**
 * Which servers a token's scopes open.
 */
import { expect, test } from "vitest";
import { readScopes } from "../../../../src/mcp/downstream/authorization/read-scopes.ts";
import { issuerConfig, setUp, startIssuer } from "./support.ts";

const servers = ["crm", "mail", "crm-2"];

test("mcp:<server> opens this server, from scope as text and from scp as list or text", () => {
  const both = new Set(["crm", "mail"]);
  expect(readScopes({ scope: "openid mcp:mail mcp:crm" }, servers)).toEqual(both);
  expect(readScopes({ scp: ["mcp:mail", "mcp:crm"] }, servers)).toEqual(both);
  expect(readScopes({ scp: "mcp:mail mcp:crm" }, servers)).toEqual(both);
});

test("mcp and mcp:* open all", () => {
  expect(readScopes({ scope: "mcp" }, servers)).toBe("all");
  expect(readScopes({ scope: "mcp:crm mcp:*" }, servers)).toBe("all");
});

test("scp counts only where there is no scope", () => {
  expect(readScopes({ scope: "mcp:crm", scp: ["mcp"] }, servers)).toEqual(new Set(["crm"]));
  expect(readScopes({ scope: "", scp: ["mcp"] }, servers)).toBe("none");
});

test("near misses, unknown servers and other shapes open nothing", () => {
  const near = ["", "MCP", "mcp:", "mcp:CRM", "mcp:cr", "mcp:crm2", "mcp:crm,mail", "xmcp:crm"];
  for (const scope of [...near, "mcp\tmcp:mail", "mcp:*crm", "mcp:__proto__"]) {
    expect(readScopes({ scope }, servers), scope).toBe("none");
  }
  for (const scope of [7, true, { mcp: true }, [["mcp"]], [7]]) {
    expect(readScopes({ scope }, servers)).toBe("none");
  }
  expect(readScopes({}, servers)).toBe("none");
});

test("a token without a scope for any server is a 403 that names all of them", async () => {
  const issuer = await startIssuer();
  const { authenticate, authenticator } = setUp({ issuers: [issuerConfig(issuer.origin)] });
  expect(await authenticate(await issuer.tokenOf({ scope: "openid email" }))).toEqual({
    ok: false,
    status: 403,
    wwwAuthenticate: [
      'Bearer realm="mcp-gateway"',
      `resource_metadata="${authenticator.metadataUrl}"`,
      'error="insufficient_scope"',
      'error_description="the token has no scope for any server"',
      'scope="mcp:crm mcp:mail"',
    ].join(", "),
    message: "the token has no scope for any server",
  });
});

test("an expired token without scopes is a 401: scopes of bad tokens are not looked at", async () => {
  const issuer = await startIssuer();
  const { authenticate } = setUp({ issuers: [issuerConfig(issuer.origin)] });
  expect(await authenticate(await issuer.tokenOf({ scope: "", exp: 1 }))).toMatchObject({
    status: 401,
  });
});
