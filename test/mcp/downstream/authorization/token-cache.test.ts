/**
 * What is remembered of a token, and for how long.
 */
import { expect, test } from "vitest";
import type { KnownToken } from "../../../../src/mcp/downstream/authorization/token-cache.ts";
import { createTokenCache } from "../../../../src/mcp/downstream/authorization/token-cache.ts";
import { principal } from "../open-session.ts";
import { createTestClock, issuerConfig, setUp, startIssuer, startMs } from "./support.ts";

function known(key: string, expiresAtMs: number): KnownToken {
  return { principal: { ...principal, key }, expiresAtMs };
}

test("an entry ends after a minute", () => {
  const clock = createTestClock();
  const cache = createTokenCache(clock);
  cache.set("a", known("a", startMs + 600_000));
  clock.advance(59_999);
  expect(cache.get("a")?.principal.key).toBe("a");
  clock.advance(1);
  expect(cache.get("a")).toBeUndefined();
  expect(cache.size()).toBe(0);
});

test("an entry ends with its token", () => {
  const clock = createTestClock();
  const cache = createTokenCache(clock);
  cache.set("a", known("a", startMs + 1_000));
  clock.advance(999);
  expect(cache.get("a")?.principal.key).toBe("a");
  clock.advance(1);
  expect(cache.get("a")).toBeUndefined();
});

test("a clock that goes back does not prolong an entry", () => {
  const clock = createTestClock();
  const cache = createTokenCache(clock);
  cache.set("a", known("a", startMs + 600_000));
  clock.advance(60_000);
  clock.setWall(startMs - 3_600_000);
  expect(cache.get("a")).toBeUndefined();
});

test("the oldest of ten thousand entries makes room", () => {
  const cache = createTokenCache(createTestClock());
  for (let count = 0; count < 10_001; count += 1) {
    cache.set(String(count), known(String(count), startMs + 60_000));
  }
  expect(cache.size()).toBe(10_000);
  expect(cache.get("0")).toBeUndefined();
  expect(cache.get("1")?.principal.key).toBe("1");
  expect(cache.get("10000")?.principal.key).toBe("10000");
});

test("a token that is used again within a minute is not verified again, and ends with its exp", async () => {
  const issuer = await startIssuer();
  const { authenticate, clock, fetched } = setUp({ issuers: [issuerConfig(issuer.origin)] });
  const token = await issuer.tokenOf({ exp: startMs / 1000 + 20 });
  const first = await authenticate(token);
  const second = await authenticate(token);
  if (!first.ok || !second.ok) throw new Error("expected to be let in");
  expect(second.principal).toBe(first.principal);
  expect(fetched).toHaveLength(2);
  clock.advance(50_000);
  expect(await authenticate(token)).toMatchObject({ ok: false, status: 401 });
});

test("a refused token is remembered by nobody", async () => {
  const issuer = await startIssuer();
  const { authenticate, clock } = setUp({ issuers: [issuerConfig(issuer.origin)] });
  const token = await issuer.tokenOf({ nbf: startMs / 1000 + 31 });
  expect(await authenticate(token)).toMatchObject({ ok: false });
  clock.advance(1_000);
  expect(await authenticate(token)).toMatchObject({ ok: true });
});
