/**
 * The gateway before a real issuer (oauth2-mock-server): tokens that come in, and keys over time.
 */
import { describe, expect, test } from "vitest";
import { eventually } from "../../../support/eventually.ts";
import { createSigner, issuerConfig, setUp, startIssuer, startMockIssuer } from "./support.ts";

describe("tokens of a real issuer", () => {
  test("become the principal that their claims name", async () => {
    const issuer = await startMockIssuer();
    const { authenticate } = setUp({ issuers: [issuerConfig(issuer.url)] });
    const answer = await authenticate(await issuer.tokenOf({ groups: ["support", "eu"] }));
    expect(answer).toEqual({
      ok: true,
      expiresAtMs: expect.any(Number),
      principal: {
        key: expect.stringMatching(/^[0-9a-f]{32}$/),
        tenant: "default",
        agent: {
          id: "support-bot",
          version: null,
          scope: null,
          owner_team: null,
          model: null,
          parent: null,
          authenticated: true,
        },
        user: { id: "alice", groups: ["support", "eu"], data_classifications_authorized: [] },
        servers: new Set(["crm"]),
      },
    });
  });

  test("hold no part of the token in what the gateway keeps of them", async () => {
    const issuer = await startMockIssuer();
    const { authenticate } = setUp({ issuers: [issuerConfig(issuer.url)] });
    const token = await issuer.tokenOf();
    const answer = JSON.stringify(await authenticate(token));
    expect(token.split(".").filter((part) => answer.includes(part))).toEqual([]);
  });

  test("are found through the issuer's metadata, and keys are fetched once for many", async () => {
    const issuer = await startMockIssuer();
    const { authenticate, fetched } = setUp({ issuers: [issuerConfig(issuer.url)] });
    const tokens = await Promise.all(["a", "b", "c"].map((sub) => issuer.tokenOf({ sub })));
    const answers = await Promise.all(tokens.map(authenticate));
    expect(answers.every(({ ok }) => ok)).toBe(true);
    expect(fetched).toEqual([
      `${issuer.url}/.well-known/oauth-authorization-server`,
      `${issuer.url}/.well-known/openid-configuration`,
      `${issuer.url}/jwks`,
    ]);
  });

  test("are let in by a configured jwks_uri without asking for metadata", async () => {
    const issuer = await startMockIssuer();
    const jwksUri = `${issuer.url}/jwks`;
    const { authenticate, fetched } = setUp({ issuers: [issuerConfig(issuer.url, { jwksUri })] });
    expect(await authenticate(await issuer.tokenOf())).toMatchObject({ ok: true });
    expect(fetched).toEqual([jwksUri]);
  });

  test("of a new key are let in after one more fetch, at the earliest 30 seconds later", async () => {
    const issuer = await startMockIssuer();
    const jwksUri = `${issuer.url}/jwks`;
    const { authenticate, clock, fetched } = setUp({
      issuers: [issuerConfig(issuer.url, { jwksUri })],
    });
    expect(await authenticate(await issuer.tokenOf())).toMatchObject({ ok: true });
    const { kid } = await issuer.server.issuer.keys.generate("RS256");
    const token = await issuer.tokenOf({}, kid);
    expect(await authenticate(token)).toMatchObject({ ok: false, status: 401 });
    expect(fetched).toHaveLength(1);
    clock.advance(30_000);
    expect(await authenticate(token)).toMatchObject({ ok: true });
    expect(fetched).toHaveLength(2);
  });
});

describe("an issuer whose key set nobody can reach", () => {
  test("is a 503 with a time to come back, never a bad token", async () => {
    const issuer = await startMockIssuer();
    const token = await issuer.tokenOf();
    await issuer.server.stop();
    const { authenticate, log } = setUp({ issuers: [issuerConfig(issuer.url)] });
    expect(await authenticate(token)).toEqual({
      ok: false,
      status: 503,
      retryAfterSeconds: 5,
      message: "the issuer's keys cannot be fetched; try again later",
    });
    expect(log.lines.map(({ data }) => data)).toContainEqual({
      step: "metadata",
      problem: "unreachable",
      status: undefined,
    });
  });

  test("is asked again after five seconds, not for each token", async () => {
    const issuer = await startIssuer(() => 500);
    const { authenticate, clock, fetched } = setUp({
      issuers: [issuerConfig(issuer.origin, { jwksUri: `${issuer.origin}/jwks` })],
    });
    for (const sub of ["a", "b", "c"]) {
      expect(await authenticate(await issuer.tokenOf({ sub }))).toMatchObject({ status: 503 });
    }
    expect(fetched).toHaveLength(1);
    clock.advance(5_000);
    await authenticate(await issuer.tokenOf());
    expect(fetched).toHaveLength(2);
  });
});

describe("the keys of an issuer", () => {
  const aDayMs = 86_400_000;
  const later = { exp: Date.parse("2030-01-01") / 1000 };

  test("hold while it is away, and for a day at most", async () => {
    const issuer = await startIssuer();
    const { authenticate, clock, fetched } = setUp({ issuers: [issuerConfig(issuer.origin)] });
    await authenticate(await issuer.tokenOf(later));
    issuer.stop();
    clock.advance(aDayMs - 1);
    const before = fetched.length;
    expect(await authenticate(await issuer.tokenOf(later))).toMatchObject({ ok: true });
    await eventually(() => fetched.length > before);
    clock.advance(60_000);
    expect(await authenticate(await issuer.tokenOf(later))).toMatchObject({ status: 503 });
  });

  test("are fetched anew after ten minutes, so that one that was withdrawn ends", async () => {
    const issuer = await startIssuer();
    const { authenticate, clock, fetched } = setUp({ issuers: [issuerConfig(issuer.origin)] });
    const token = await issuer.tokenOf(later);
    expect(await authenticate(token)).toMatchObject({ ok: true });
    const other = await createSigner("ES256", "key-2");
    issuer.state.keys = [other.jwk];
    clock.advance(599_999);
    expect(await authenticate(token)).toMatchObject({ ok: true });
    expect(fetched).toHaveLength(2);
    await eventually(async () => {
      clock.advance(60_000);
      return !(await authenticate(token)).ok;
    });
    expect(await authenticate(token)).toMatchObject({ status: 401 });
  });

  test("are all withdrawn by an empty key set", async () => {
    const issuer = await startIssuer();
    const { authenticate, clock } = setUp({ issuers: [issuerConfig(issuer.origin)] });
    const token = await issuer.tokenOf(later);
    expect(await authenticate(token)).toMatchObject({ ok: true });
    issuer.state.keys = [];
    clock.advance(600_000);
    await eventually(async () => {
      clock.advance(60_000);
      return !(await authenticate(token)).ok;
    });
    expect(await authenticate(token)).toMatchObject({ status: 401 });
  });

  test("that nobody knows are no reason to ask the issuer more than every 30 seconds", async () => {
    const issuer = await startIssuer();
    const { authenticate, clock, fetched } = setUp({
      issuers: [issuerConfig(issuer.origin, { jwksUri: `${issuer.origin}/jwks` })],
    });
    await authenticate(await issuer.tokenOf());
    for (let count = 0; count < 20; count += 1) {
      const token = await issuer.tokenOf({}, { kid: `made-up-${count}` });
      expect(await authenticate(token)).toMatchObject({ status: 401 });
      clock.advance(2_000);
    }
    expect(fetched).toHaveLength(2);
  });

  test("that nobody knows while the issuer is away are no bad token", async () => {
    const issuer = await startIssuer();
    const { authenticate, clock } = setUp({ issuers: [issuerConfig(issuer.origin)] });
    await authenticate(await issuer.tokenOf());
    issuer.stop();
    clock.advance(30_000);
    const unknown = await issuer.tokenOf({}, { kid: "rotated" });
    expect(await authenticate(unknown)).toMatchObject({ status: 503 });
    expect(await authenticate(await issuer.tokenOf())).toMatchObject({ ok: true });
  });
});
