/**
 * Tokens that the operator handed out.
 */
import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { StaticToken } from "../../../../src/config/config.ts";
import { setUp } from "./support.ts";

function tokenOf(user: string, changes: Partial<StaticToken> = {}) {
  const text = randomBytes(32).toString("hex");
  const entry: StaticToken = {
    sha256: createHash("sha256").update(text).digest("hex"),
    agent: {
      id: "ci",
      version: null,
      scope: null,
      owner_team: null,
      model: null,
      parent: null,
      authenticated: true,
    },
    user: { id: user, groups: [], data_classifications_authorized: [] },
    servers: undefined,
    ...changes,
  };
  return { text, entry };
}

test("each token is the agent and user of its own entry", async () => {
  const tokens = ["alice", "bob", "carol"].map((user) => tokenOf(user));
  const { authenticate } = setUp({ tokens: tokens.map(({ entry }) => entry) });
  for (const { text, entry } of tokens) {
    expect(await authenticate(text)).toMatchObject({
      ok: true,
      principal: { agent: entry.agent, user: entry.user, servers: undefined, tenant: "default" },
    });
  }
});

test("a token with servers is good for these alone", async () => {
  const { text, entry } = tokenOf("alice", { servers: ["crm"] });
  const { authenticate } = setUp({ tokens: [entry] });
  expect(await authenticate(text)).toMatchObject({ principal: { servers: new Set(["crm"]) } });
});

test("two tokens of the same agent and user are the same principal", async () => {
  const [first, second] = [tokenOf("alice"), tokenOf("alice")];
  const { authenticate } = setUp({ tokens: [first.entry, second.entry] });
  const answers = [await authenticate(first.text), await authenticate(second.text)];
  const keys = answers.map((answer) => answer.ok && answer.principal.key);
  expect(keys[0]).toEqual(expect.any(String));
  expect(keys[0]).toBe(keys[1]);
});

test("a token that nobody handed out is refused", async () => {
  const { entry } = tokenOf("alice");
  const { authenticate, log } = setUp({ tokens: [entry] });
  expect(await authenticate(tokenOf("alice").text)).toMatchObject({ ok: false, status: 401 });
  expect(log.lines.at(-1)?.data).toMatchObject({ reason: "token_unknown" });
});

test("the digest of a token is no token", async () => {
  const { entry } = tokenOf("alice");
  const { authenticate } = setUp({ tokens: [entry] });
  expect(await authenticate(entry.sha256)).toMatchObject({ ok: false, status: 401 });
});

test("a beginning, an end and another case of a token are refused", async () => {
  const { text, entry } = tokenOf("alice");
  const { authenticate } = setUp({ tokens: [entry] });
  const near = [text.slice(1), text.slice(0, -1), text.toUpperCase(), `${text}0`];
  for (const token of near) {
    expect(await authenticate(token)).toMatchObject({ ok: false, status: 401 });
  }
});

test("where only static tokens are known, a JWT is nobody's and there is no metadata", async () => {
  const { authenticator, authenticate } = setUp({ tokens: [tokenOf("alice").entry] });
  expect(await authenticate("a.b.c")).toEqual({
    ok: false,
    status: 401,
    wwwAuthenticate:
      'Bearer realm="mcp-gateway", error="invalid_token", error_description="the token is not known here", scope="mcp:crm mcp:mail"',
    message: "the token is not known here",
  });
  expect(authenticator.metadata).toBeUndefined();
});
