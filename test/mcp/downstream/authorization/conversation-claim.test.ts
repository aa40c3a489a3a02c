/**
 * A claim that names the conversation: what an issuer signed is vouched for.
 */
import { describe, expect, test } from "vitest";
import { buildPrincipal } from "../../../../src/mcp/downstream/authorization/build-principal.ts";
import { issuerConfig } from "./support.ts";

function build(claims: Readonly<Record<string, unknown>>, conversation?: string, user = "alice") {
  const issuer = issuerConfig("https://idp.example");
  return buildPrincipal({
    claims: { sub: user, client_id: "bot", ...claims },
    issuer: { ...issuer, claims: { ...issuer.claims, conversation } },
    tenant: "default",
    granted: "all",
    qualified: false,
  });
}

function conversationOf(...built: Parameters<typeof build>) {
  const principal = build(...built);
  if (!principal.ok) throw new Error("expected a principal");
  return principal.principal.conversation;
}

describe("a claim that names the conversation", () => {
  test("is read where it is mapped, and nothing is where it is not there", () => {
    expect(conversationOf({ sid: "a" }, "sid")).toMatchObject({ id: "a" });
    expect(conversationOf({ sid: "a" })).toBeUndefined();
    expect(conversationOf({}, "sid")).toBeUndefined();
  });

  test("is another conversation for another user", () => {
    const keys = [
      conversationOf({ sid: "a" }, "sid"),
      conversationOf({ sid: "b" }, "sid"),
      conversationOf({ sid: "a" }, "sid", "bob"),
    ].map((conversation) => conversation?.key);
    expect(new Set(keys).size).toBe(3);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  test.each([7, null, "", ["a"], "a\u0000", "a".repeat(257), "\ud800"])(
    "refuses the token where it is %j",
    (sid) => {
      expect(build({ sid }, "sid")).toMatchObject({ reason: "claim_invalid", claim: "sid" });
    },
  );
});
