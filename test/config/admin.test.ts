import { describe, expect, test } from "vitest";
import { load } from "./support.ts";

const token = { name: "on-call", sha256: "a".repeat(64), roles: ["operator"] };
const base = { agent: { id: "a" }, user: { id: "u" }, servers: {} };
const withAdmin = (admin: object) => load({ ...base, admin }).config.admin;

test("without a word there is the socket alone", () => {
  expect(load(base).config.admin).toEqual({ http: undefined, tokens: [] });
});

test.each([
  ["127.0.0.1:9464", { host: "127.0.0.1", port: 9464 }],
  ["127.0.0.2:0", { host: "127.0.0.2", port: 0 }],
  ["[::1]:9464", { host: "::1", port: 9464 }],
])("%s is on this machine", (http, address) => {
  expect(withAdmin({ http, tokens: [token] })).toEqual({ http: address, tokens: [token] });
});

describe("is refused:", () => {
  test.each([
    "0.0.0.0:9464",
    "[::]:9464",
    "localhost:9464",
    "gateway.example:9464",
    "10.0.0.1:9464",
    "127.0.0.1",
    "127.0.0.1:99999",
    "127.0.0.1.evil.example:80",
    "1270.0.0.1:80",
  ])("an address that others could reach, %s", (http) => {
    expect(() => withAdmin({ http, tokens: [token] })).toThrow(/expected 127\.0\.0\.1:PORT/);
  });

  test("an address at which nobody could come in", () => {
    expect(() => withAdmin({ http: "127.0.0.1:0" })).toThrow(/expected admin\.tokens beside it/);
  });

  test.each(["name", "sha256"] as const)("a %s twice", (key) => {
    const other = { name: "other", sha256: "b".repeat(64), roles: ["viewer"], [key]: token[key] };
    expect(() => withAdmin({ tokens: [token, other] })).toThrow(/once/);
  });

  test.each([
    ["no role", { ...token, roles: [] }],
    ["a role that there is not", { ...token, roles: ["admin"] }],
    ["the token itself", { ...token, sha256: "secret" }],
    ["no name", { ...token, name: "" }],
  ])("a token with %s", (_, wrong) => {
    expect(() => withAdmin({ tokens: [wrong] })).toThrow(/admin\.tokens/);
  });
});
