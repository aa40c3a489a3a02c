/**
 * How claims become agent and user, and which claims refuse a token.
 */
import { describe, expect, test } from "vitest";
import type { IssuerConfig } from "../../../../src/config/config.ts";
import { buildPrincipal } from "../../../../src/mcp/downstream/authorization/build-principal.ts";
import { claimAt } from "../../../../src/mcp/downstream/authorization/claim-at.ts";
import { issuerConfig, setUp, startIssuer } from "./support.ts";

const issuer = "https://idp.example";
const usual = { sub: "alice", client_id: "support-bot" };

function build(
  claims: Readonly<Record<string, unknown>>,
  mapping: Partial<IssuerConfig["claims"]> = {},
  qualified = false,
) {
  const config = issuerConfig(issuer);
  return buildPrincipal({
    claims,
    issuer: { ...config, claims: { ...config.claims, ...mapping } },
    tenant: "default",
    granted: "all",
    qualified,
  });
}

describe("a claim path", () => {
  test("goes into objects at its dots", () => {
    expect(claimAt({ realm_access: { roles: ["a"] } }, "realm_access.roles")).toEqual(["a"]);
    expect(claimAt({ act: { sub: { id: "x" } } }, "act.sub.id")).toBe("x");
  });

  test("is first of all the whole name of a claim, with its dots", () => {
    const claims = { "act.sub": "whole", act: { sub: "inner" } };
    expect(claimAt(claims, "act.sub")).toBe("whole");
    expect(claimAt({ "https://example.com/agent": "x" }, "https://example.com/agent")).toBe("x");
  });

  test("goes into a claim whose name is a URL", () => {
    const claims = { "https://example.com/claims": { agent: "x" } };
    expect(claimAt(claims, "https://example.com/claims.agent")).toBe("x");
  });

  test("finds nothing in what every object has, in arrays and in text", () => {
    const paths = [
      "__proto__.constructor",
      "__proto__",
      "constructor",
      "constructor.name",
      "list.length",
      "text.length",
      ".",
    ];
    for (const path of paths) {
      expect(claimAt({ list: ["a"], text: "abc" }, path), path).toBeUndefined();
    }
  });
});

describe("agent and user", () => {
  test("are those of the mapping, with everything that is mapped", () => {
    const claims = {
      app: {
        id: "bot",
        version: "2.3.1",
        scope: "support",
        team: "cx",
        model: "vendor-eu-2",
        on_behalf_of: "planner",
      },
      preferred_username: "alice",
      roles: ["a"],
      clearance: ["public"],
    };
    const built = build(claims, {
      agent: "app.id",
      agentVersion: "app.version",
      user: "preferred_username",
      groups: "roles",
      dataClassificationsAuthorized: "clearance",
      agentScope: "app.scope",
      ownerTeam: "app.team",
      agentModel: "app.model",
      parent: "app.on_behalf_of",
    });
    expect(built).toMatchObject({
      ok: true,
      principal: {
        agent: {
          id: "bot",
          version: "2.3.1",
          scope: "support",
          owner_team: "cx",
          model: "vendor-eu-2",
          parent: "planner",
        },
        user: { id: "alice", groups: ["a"], data_classifications_authorized: ["public"] },
      },
    });
  });

  test("need their claims: a missing one is named", () => {
    expect(build({ client_id: "x" })).toMatchObject({ reason: "claim_missing", claim: "sub" });
    expect(build({ sub: "x" })).toMatchObject({ reason: "claim_missing", claim: "client_id" });
  });

  test("are no numbers, lists, empty, long, broken or controlling text", () => {
    const hostile = [
      7,
      true,
      null,
      ["alice"],
      {},
      "",
      "a".repeat(257),
      "a\u0000",
      "a\nb",
      "\ud800",
    ];
    for (const value of hostile) {
      const user = build({ ...usual, sub: value });
      expect(user).toMatchObject({ ok: false, reason: "claim_invalid", claim: "sub" });
      const agent = build({ ...usual, client_id: value });
      expect(agent).toMatchObject({ ok: false, reason: "claim_invalid", claim: "client_id" });
    }
  });

  test("may have 256 characters of any script", () => {
    expect(build({ ...usual, sub: "Ж".repeat(256) })).toMatchObject({ ok: true });
  });

  test("azp and client_id stand in for each other, and for nothing else", () => {
    const agentOf = (claims: object, agent: string) =>
      build({ sub: "alice", ...claims }, { agent });
    const bot = { ok: true, principal: { agent: { id: "bot" } } };
    expect(agentOf({ azp: "bot" }, "client_id")).toMatchObject(bot);
    expect(agentOf({ client_id: "bot" }, "azp")).toMatchObject(bot);
    expect(agentOf({ azp: "other", client_id: "bot" }, "client_id")).toMatchObject(bot);
    const missing = { reason: "claim_missing", claim: "agent_id" };
    expect(agentOf({ azp: "bot", client_id: "bot" }, "agent_id")).toMatchObject(missing);
    expect(agentOf({ azp: "bot", client_id: 7 }, "client_id")).toMatchObject({
      reason: "claim_invalid",
    });
  });
});

describe("claims that need not be there", () => {
  test("are null or empty without a value, and where nothing is mapped", () => {
    expect(
      build(
        { ...usual, scope: "x", parent: "y", version: "1", agent_version: "1" },
        { ownerTeam: "team" },
      ),
    ).toMatchObject({
      principal: {
        agent: { version: null, scope: null, owner_team: null, parent: null },
        user: { groups: [], data_classifications_authorized: [] },
      },
    });
  });

  test("refuse the token where a parent, scope or team is no text: it would shed a limit", () => {
    const mapping = { parent: "parent", agentScope: "agent_scope", ownerTeam: "team" };
    for (const claim of Object.values(mapping)) {
      const built = build({ ...usual, [claim]: { id: "planner" } }, mapping);
      expect(built).toMatchObject({ ok: false, reason: "claim_invalid", claim });
    }
  });

  test("refuse the token where a list is no list of texts", () => {
    const mapping = { dataClassificationsAuthorized: "clearance" };
    const hostile = ["admins", [7], [["a"]], ["a", null], ["a\u0007"], { a: true }, null];
    for (const claim of ["groups", "clearance"]) {
      for (const value of hostile) {
        const built = build({ ...usual, [claim]: value }, mapping);
        expect(built).toMatchObject({ ok: false, reason: "claim_invalid", claim });
      }
    }
  });

  test("may list a thousand entries, not one more", () => {
    const groups = Array.from({ length: 1001 }, (_, index) => `g${index}`);
    expect(build({ ...usual, groups: groups.slice(1) })).toMatchObject({ ok: true });
    expect(build({ ...usual, groups })).toMatchObject({ reason: "claim_invalid", claim: "groups" });
  });

  test("refuse the token where the issuer says that its groups are elsewhere", () => {
    const claims = { ...usual, _claim_names: { groups: "src1" }, _claim_sources: {} };
    expect(build(claims)).toMatchObject({ reason: "claim_invalid", claim: "groups" });
  });
});

describe("two issuers", () => {
  test("that give the same ids give two principals, whom policies can tell apart", async () => {
    const [first, second] = [await startIssuer(), await startIssuer()];
    const { authenticate } = setUp({
      issuers: [issuerConfig(first.origin), issuerConfig(second.origin)],
    });
    const answers = [
      await authenticate(await first.tokenOf()),
      await authenticate(await second.tokenOf()),
    ];
    const principals = answers.flatMap((answer) => (answer.ok ? [answer.principal] : []));
    expect(principals.map(({ user }) => user.id)).toEqual([
      `${first.origin}#alice`,
      `${second.origin}#alice`,
    ]);
    expect(principals.map(({ agent }) => agent.id)).toEqual([
      `${first.origin}#support-bot`,
      `${second.origin}#support-bot`,
    ]);
    expect(new Set(principals.map(({ key }) => key)).size).toBe(2);
  });

  test("qualify a parent like the agent that it is", () => {
    const built = build({ ...usual, act: { sub: "planner" } }, { parent: "act.sub" }, true);
    expect(built).toMatchObject({ principal: { agent: { parent: `${issuer}#planner` } } });
  });

  test("an only issuer leaves ids as they are", () => {
    expect(build(usual)).toMatchObject({
      principal: { agent: { id: "support-bot" }, user: { id: "alice" } },
    });
  });
});
