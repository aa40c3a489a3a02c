/**
 * Where a token may stand, and how long it may be.
 */
import { expect, test } from "vitest";
import { readBearer } from "../../../../src/mcp/downstream/authorization/read-bearer.ts";

test("the one token after Bearer is read, in any case of the scheme's letters", () => {
  for (const scheme of ["Bearer", "bearer", "BEARER", "Bearer  "]) {
    expect(readBearer(`${scheme} abc.DEF-_~+/==`)).toEqual({ ok: true, token: "abc.DEF-_~+/==" });
  }
});

test("a request without the header has no token", () => {
  expect(readBearer(undefined)).toEqual({ ok: false, reason: "token_missing" });
});

test("other schemes are refused, a proof of possession among them", () => {
  for (const header of ["Basic YTpi", "DPoP abc", "Bearerabc", "", " Bearer abc", "abc"]) {
    expect(readBearer(header)).toEqual({ ok: false, reason: "scheme_unknown" });
  }
});

test("none, two, quoted and broken tokens are refused", () => {
  const broken = ["", "a b", "a, Bearer b", "a,b", '"a"', "a=b", "ä", "a\u0000", "=", "a\n"];
  for (const token of broken) {
    expect(readBearer(`Bearer ${token}`), token).toEqual({ ok: false, reason: "token_malformed" });
  }
  expect(readBearer("Bearer")).toEqual({ ok: false, reason: "token_malformed" });
});

test("a token of 16 KiB is read, one of a byte more is not", () => {
  expect(readBearer(`Bearer ${"a".repeat(16_384)}`)).toMatchObject({ ok: true });
  const longer = readBearer(`Bearer ${"a".repeat(16_385)}`);
  expect(longer).toEqual({ ok: false, reason: "token_malformed" });
});
