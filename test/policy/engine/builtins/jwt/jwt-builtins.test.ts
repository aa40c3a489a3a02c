import { createHmac, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { expect, it } from "vitest";
import { jwtBuiltins } from "../../../../../src/policy/engine/builtins/jwt/jwt-builtins.ts";
import { readOpaValue } from "../../../../../src/policy/engine/opa-value.ts";
import { askBoth } from "../ask-both.ts";
import { makeKeys } from "../crypto/make-certificate.ts";

const [rsa, ec, ed, other] = [
  makeKeys("rsa"),
  makeKeys("ec"),
  makeKeys("ed25519"),
  makeKeys("rsa"),
];
const now = 1_764_000_000;
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const pem = (key: KeyObject): string => String(key.export({ type: "spki", format: "pem" }));
const jwk = (key: KeyObject, more: object = {}): object => ({
  ...key.export({ format: "jwk" }),
  ...more,
});

function tokenOf(header: object, payload: unknown, signature: (bytes: Buffer) => Buffer): string {
  const signed = `${part(header)}.${part(payload)}`;
  return `${signed}.${signature(Buffer.from(signed)).toString("base64url")}`;
}

const byRsa = (bytes: Buffer): Buffer => sign("sha256", bytes, rsa.privateKey);
const byEc = (bytes: Buffer): Buffer =>
  sign("sha256", bytes, { key: ec.privateKey, dsaEncoding: "ieee-p1363" });
const byEd = (bytes: Buffer): Buffer => sign(null, bytes, ed.privateKey);
const bySecret =
  (secret: string) =>
  (bytes: Buffer): Buffer =>
    createHmac("sha256", secret).update(bytes).digest();
const claims = { iss: "me", aud: ["you", "them"], exp: now + 60, nbf: now - 60, n: 1.5 };
const nothing = (): Buffer => Buffer.alloc(0);
const rs256 = tokenOf({ alg: "RS256", typ: "JWT" }, claims, byRsa);
const tokens = {
  rs256,
  es256: tokenOf({ alg: "ES256" }, claims, byEc),
  eddsa: tokenOf({ alg: "EdDSA" }, claims, byEd),
  hs256: tokenOf({ alg: "HS256" }, claims, bySecret("secret")),
  none: tokenOf({ alg: "none" }, claims, nothing),
  noneInCapitals: tokenOf({ alg: "NONE" }, claims, nothing),
  noAlgorithm: tokenOf({ typ: "JWT" }, claims, byRsa),
  /** The public key as a shared secret: the oldest confusion of all. */
  confused: tokenOf({ alg: "HS256" }, claims, bySecret(pem(rsa.publicKey))),
  confusedEd: tokenOf({ alg: "HS256" }, claims, bySecret(pem(ed.publicKey))),
  prototype: tokenOf({ alg: "constructor" }, claims, byRsa),
  critical: tokenOf({ alg: "RS256", crit: ["b64"], b64: false }, claims, byRsa),
  criticalKnown: tokenOf({ alg: "RS256", crit: ["alg"] }, claims, byRsa),
  criticalEmpty: tokenOf({ alg: "RS256", crit: [] }, claims, byRsa),
  encrypted: tokenOf({ alg: "RS256", enc: "A128GCM" }, claims, byRsa),
  nested: tokenOf({ alg: "RS256", cty: "JWT" }, 0, byRsa),
  expired: tokenOf({ alg: "RS256" }, { ...claims, exp: now }, byRsa),
  early: tokenOf({ alg: "RS256" }, { ...claims, nbf: now + 1 }, byRsa),
  textTime: tokenOf({ alg: "RS256" }, { ...claims, exp: "never" }, byRsa),
  kid: tokenOf({ alg: "RS256", kid: "one" }, claims, byRsa),
  twoParts: "a.b",
  junk: "!.!.!",
  changed: rs256.replace(/\.[^.]+\./, `.${part({ ...claims, iss: "you" })}.`),
};
const keys = {
  rsa: pem(rsa.publicKey),
  ec: pem(ec.publicKey),
  ed: pem(ed.publicKey),
  other: pem(other.publicKey),
  jwk: JSON.stringify(jwk(rsa.publicKey)),
  set: JSON.stringify({
    keys: [jwk(other.publicKey, { kid: "two" }), jwk(rsa.publicKey, { kid: "one", alg: "RS256" })],
  }),
  wrongKid: JSON.stringify({
    keys: [jwk(other.publicKey, { kid: "one" }), jwk(rsa.publicKey, { kid: "two" })],
  }),
  wrongAlg: JSON.stringify({ keys: [jwk(rsa.publicKey, { alg: "RS512" })] }),
  encryption: JSON.stringify({ keys: [jwk(rsa.publicKey, { alg: "RSA-OAEP" })] }),
  empty: JSON.stringify({ keys: [] }),
  junk: "junk",
  twice: `${pem(rsa.publicKey)}${pem(ec.publicKey)}`,
};

const table = (calls: readonly string[], answers: readonly (string | undefined)[]) =>
  calls.map((call, place) => [call, answers[place]]);

it("decodes and verifies as opa does, for every token with every key", async () => {
  const constraint = (key: string): string =>
    `{"cert": cases.keys.${key}, "aud": "you", "time": ${now}000000000}`;
  const calls = Object.keys(tokens).flatMap((token) => [
    `io.jwt.decode(cases.tokens.${token})`,
    `io.jwt.decode_verify(cases.tokens.${token}, {"secret": "secret", "aud": "you", "time": ${now}000000000})`,
    ...Object.keys(keys).map(
      (key) => `io.jwt.decode_verify(cases.tokens.${token}, ${constraint(key)})`,
    ),
    ...Object.keys(keys).map(
      (key) => `io.jwt.verify_rs256(cases.tokens.${token}, cases.keys.${key})`,
    ),
    ...["rsa", "ec", "ed"].flatMap((key) => [
      `io.jwt.verify_es256(cases.tokens.${token}, cases.keys.${key})`,
      `io.jwt.verify_eddsa(cases.tokens.${token}, cases.keys.${key})`,
      `io.jwt.verify_ps256(cases.tokens.${token}, cases.keys.${key})`,
      `io.jwt.verify_hs256(cases.tokens.${token}, cases.keys.${key})`,
    ]),
  ]);
  const { ours, opas } = await askBoth(calls, { tokens, keys });
  expect(table(calls, ours)).toEqual(table(calls, opas));
  const verified = calls.filter(
    (call, place) => call.includes("decode_verify") && ours[place]?.startsWith("[true"),
  );
  expect(verified.length).toBeGreaterThan(5);
  const confusions = [
    "none",
    "noneInCapitals",
    "noAlgorithm",
    "confused",
    "confusedEd",
    "prototype",
    "critical",
    "expired",
    "early",
    "changed",
  ];
  expect(
    verified.filter((call) => confusions.some((name) => call.includes(`.tokens.${name},`))),
  ).toEqual([]);
}, 120_000);

it("holds constraints as opa does, and the decision's time where none is given", async () => {
  const constraints = [
    "{}",
    '{"cert": cases.keys.rsa}',
    '{"cert": cases.keys.rsa, "secret": "secret"}',
    '{"cert": cases.keys.rsa, "aud": "them", "iss": "me", "alg": "RS256"}',
    '{"cert": cases.keys.rsa, "aud": "nobody"}',
    '{"cert": cases.keys.rsa, "aud": "you", "iss": "you"}',
    '{"cert": cases.keys.rsa, "aud": "you", "alg": "RS512"}',
    '{"cert": cases.keys.rsa, "aud": "you", "unknown": 1}',
    '{"cert": cases.keys.rsa, "aud": ["you"]}',
    '{"cert": 1, "aud": "you"}',
    '{"secret": "", "aud": "you"}',
    `{"cert": cases.keys.rsa, "aud": "you", "time": -1}`,
  ];
  const timed = constraints.map((each) => `object.union({"time": ${now}000000000}, ${each})`);
  const calls = timed.map((each) => `io.jwt.decode_verify(cases.tokens.rs256, ${each})`);
  const { ours, opas } = await askBoth(calls, { tokens, keys });
  expect(table(calls, ours)).toEqual(table(calls, opas));
  const [call] = [
    'io.jwt.decode_verify(cases.tokens.rs256, {"cert": cases.keys.rsa, "aud": "you"})[0]',
  ];
  for (const [timeS, valid] of [
    [now - 61, "false"],
    [now - 60, "true"],
    [now + 59, "true"],
    [now + 60, "false"],
  ] as const) {
    expect((await askBoth([call], { tokens, keys }, timeS * 1000)).ours).toEqual([valid]);
  }
}, 120_000);

const signers = [
  ["HS256", { kty: "oct", k: "c2VjcmV0" }],
  ["RS384", jwk(rsa.privateKey)],
  ["PS256", jwk(rsa.privateKey)],
  ["PS512", jwk(rsa.privateKey)],
  ["ES256", jwk(ec.privateKey)],
  ["ES512", jwk(ec.privateKey)],
  ["EdDSA", jwk(ed.privateKey)],
] as const;

it.each(signers)("signs %s again in a replay, and so that it verifies", (alg, key) => {
  const signWith = (seed: string): string => {
    const operands = [{ alg }, { sub: "<me>" }, key].map((value) => readOpaValue(dump(value)));
    const answer = jwtBuiltins["io.jwt.encode_sign"]?.(operands, { timeMs: 0, seed });
    return String(JSON.parse(answer ?? "null"));
  };
  const token = signWith("one");
  expect(signWith("one")).toBe(token);
  expect(signWith("two") === token).toBe(!/^[PE]S/.test(alg));
  const [header = "", payload = "", signature = ""] = token.split(".");
  expect(Buffer.from(payload, "base64url").toString()).toBe('{"sub":"\\u003cme\\u003e"}');
  const bytes = Buffer.from(`${header}.${payload}`);
  const isValid = verifiesBy(alg, bytes, Buffer.from(signature, "base64url"));
  expect(isValid).toBe(true);
  expect(
    verifiesBy(alg, Buffer.concat([bytes, Buffer.from("x")]), Buffer.from(signature, "base64url")),
  ).toBe(false);
});

it("signs nothing with a key that does not fit, or that is public", () => {
  const refused = [
    ["RS256", jwk(ec.privateKey)],
    ["ES256", jwk(rsa.privateKey)],
    ["HS256", jwk(rsa.privateKey)],
    ["RS256", jwk(rsa.publicKey)],
    ["RS256", { kty: "oct", k: "c2VjcmV0" }],
    ["HS256", { kty: "oct", k: "" }],
    ["none", { kty: "oct", k: "c2VjcmV0" }],
    ["HS256", { keys: [] }],
    ["HS256", { kty: "other" }],
  ] as const;
  for (const [alg, key] of refused) {
    const operands = [{ alg }, {}, key].map((value) => readOpaValue(dump(value)));
    const answer = jwtBuiltins["io.jwt.encode_sign"]?.(operands, { timeMs: 0, seed: "" });
    expect([alg, answer]).toEqual([alg, undefined]);
  }
});

function verifiesBy(alg: string, bytes: Buffer, signature: Buffer): boolean {
  const digest = `sha${alg.slice(2)}`;
  if (alg === "EdDSA") return verify(null, bytes, ed.publicKey, signature);
  if (alg.startsWith("ES"))
    return verify(digest, bytes, { key: ec.publicKey, dsaEncoding: "ieee-p1363" }, signature);
  if (alg.startsWith("RS")) return verify(digest, bytes, rsa.publicKey, signature);
  if (alg.startsWith("HS"))
    return createHmac(digest, "secret").update(bytes).digest().equals(signature);
  const saltLength = Number(alg.slice(2)) / 8;
  return verify(digest, bytes, { key: rsa.publicKey, padding: 6, saltLength }, signature);
}

/** The text in which a policy hands over an object of texts. */
function dump(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(dump).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}: ${dump(member)}`)
    .join(", ")}}`;
}
