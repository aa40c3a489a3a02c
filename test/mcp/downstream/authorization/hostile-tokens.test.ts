/**
 * Tokens that must not come in for their form, algorithm or key, each refused for its own reason. Each is as good as the accepted one
 * of the first test in every other respect.
 */
import { createHmac, createPublicKey } from "node:crypto";
import { CompactEncrypt, exportSPKI, UnsecuredJWT } from "jose";
import { expect, test } from "vitest";
import { createSigner, encode, serve, setUpIssuer, usualClaims } from "./support.ts";

test("a token that is all right is let in", async () => {
  const { tokenOf, reasonOf } = await setUpIssuer();
  expect(await reasonOf(await tokenOf())).toBe("let in");
});

test("an unsigned token (alg none) is refused, however none is written", async () => {
  const { origin, reasonOf, fetched } = await setUpIssuer({ algorithms: ["ES256", "none"] });
  const unsigned = new UnsecuredJWT(usualClaims(origin)).encode();
  expect(await reasonOf(unsigned)).toMatchObject({ reason: "algorithm_refused" });
  for (const alg of ["None", "NONE", "nOnE", ""]) {
    const token = `${encode({ alg })}.${encode(usualClaims(origin))}.`;
    expect(await reasonOf(token)).toMatchObject({
      reason: expect.stringMatching(/refused|malformed/),
    });
  }
  expect(fetched).toEqual([]);
});

test("HS256 with the issuer's public key as the secret is refused", async () => {
  const { origin, signer, reasonOf } = await setUpIssuer({ algorithms: ["ES256", "HS256"] });
  const secrets = [
    await exportSPKI(signer.publicKey),
    JSON.stringify(signer.jwk),
    createPublicKey({ key: signer.jwk, format: "jwk" }).export({ type: "spki", format: "der" }),
  ];
  for (const secret of secrets) {
    const input = `${encode({ alg: "HS256", kid: "key-1" })}.${encode(usualClaims(origin))}`;
    const signature = createHmac("sha256", secret).update(input).digest("base64url");
    expect(await reasonOf(`${input}.${signature}`)).toMatchObject({ reason: "algorithm_refused" });
  }
});

test("a symmetric key that the issuer shows is no key", async () => {
  const { origin, state, reasonOf } = await setUpIssuer({ algorithms: ["HS256", "ES256"] });
  state.keys = [{ kty: "oct", kid: "key-1", k: Buffer.from("secret").toString("base64url") }];
  const input = `${encode({ alg: "HS256", kid: "key-1" })}.${encode(usualClaims(origin))}`;
  const signature = createHmac("sha256", "secret").update(input).digest("base64url");
  expect(await reasonOf(`${input}.${signature}`)).toMatchObject({ reason: "algorithm_refused" });
});

test("an algorithm that is not the issuer's is refused, with the right key too", async () => {
  const { tokenOf, reasonOf } = await setUpIssuer({ algorithms: ["RS256"] });
  expect(await reasonOf(await tokenOf())).toMatchObject({ reason: "algorithm_refused" });
});

test("another key under the issuer's key id is refused", async () => {
  const { origin, reasonOf } = await setUpIssuer();
  const stranger = await createSigner("ES256", "key-1");
  const token = await stranger.sign(usualClaims(origin));
  expect(await reasonOf(token)).toMatchObject({ reason: "signature_invalid" });
});

test("claims that were changed after signing are refused", async () => {
  const { origin, tokenOf, reasonOf } = await setUpIssuer();
  const [header, , signature] = (await tokenOf()).split(".");
  const claims = encode({ ...usualClaims(origin), sub: "root" });
  const token = `${header}.${claims}.${signature}`;
  expect(await reasonOf(token)).toMatchObject({ reason: "signature_invalid" });
});

test("keys and addresses in the header are neither used nor fetched", async () => {
  const { origin, reasonOf, fetched, jwksUri } = await setUpIssuer();
  const stranger = await createSigner("ES256", "key-1");
  const asked: unknown[] = [];
  const evil = await serve((request, response) => {
    asked.push(request.url);
    response.end(JSON.stringify({ keys: [stranger.jwk] }));
  });
  const headers = [
    { jku: `${evil.origin}/jwks` },
    { x5u: `${evil.origin}/cert` },
    { jwk: stranger.jwk },
    { x5c: ["MIIB"] },
  ];
  for (const header of headers) {
    const token = await stranger.sign(usualClaims(origin), header);
    expect(await reasonOf(token)).toMatchObject({ reason: "signature_invalid" });
  }
  expect(asked).toEqual([]);
  expect(fetched).toEqual([jwksUri]);
});

test("a key id is compared and nothing else: paths, queries and prototypes find no key", async () => {
  const { tokenOf, reasonOf } = await setUpIssuer();
  const kids = [
    "../../dev/null",
    "key-1' OR '1'='1",
    "__proto__",
    "constructor",
    "key-1\u0000",
    "",
  ];
  for (const kid of kids) {
    expect(await reasonOf(await tokenOf({}, { kid }))).toMatchObject({ reason: "key_unknown" });
  }
});

test("a key id that is no string is refused", async () => {
  const { origin, reasonOf } = await setUpIssuer();
  const token = `${encode({ alg: "ES256", kid: ["key-1"] })}.${encode(usualClaims(origin))}.AAAA`;
  expect(await reasonOf(token)).toMatchObject({ reason: "token_malformed" });
});

test("a token that does not say which of several keys signed it is refused", async () => {
  const { tokenOf, state, signer, reasonOf } = await setUpIssuer();
  state.keys = [signer.jwk, (await createSigner("ES256", "key-2")).jwk];
  const token = await tokenOf({}, { kid: undefined });
  expect(await reasonOf(token)).toMatchObject({ reason: "key_ambiguous" });
});

test("a token without key id is let in where there is one key", async () => {
  const { tokenOf, reasonOf } = await setUpIssuer();
  expect(await reasonOf(await tokenOf({}, { kid: undefined }))).toBe("let in");
});

test("a key that the issuer shows for encryption verifies nothing", async () => {
  const { tokenOf, state, signer, reasonOf } = await setUpIssuer();
  state.keys = [{ ...signer.jwk, use: "enc" }];
  expect(await reasonOf(await tokenOf())).toMatchObject({ reason: "key_unknown" });
});

test("an RSA key of 1024 bits verifies nothing", async () => {
  const { tokenOf, state, reasonOf } = await setUpIssuer();
  const n = Buffer.alloc(128, 0xc5).toString("base64url");
  state.keys = [{ kty: "RSA", kid: "weak", alg: "RS256", n, e: "AQAB" }];
  const token = (await tokenOf()).split(".");
  const hostile = [encode({ alg: "RS256", kid: "weak" }), token[1], n].join(".");
  expect(await reasonOf(hostile)).toMatchObject({ reason: "key_unusable" });
});

test("a broken key beside good ones spoils only itself", async () => {
  const { tokenOf, state, signer, reasonOf } = await setUpIssuer();
  state.keys = [
    7,
    null,
    { kty: 7 },
    { kty: "EC", crv: "P-256", x: "!", y: "!", kid: "b" },
    signer.jwk,
  ];
  expect(await reasonOf(await tokenOf())).toBe("let in");
});

test("a critical header parameter that is not understood is refused", async () => {
  const { origin, reasonOf } = await setUpIssuer();
  const header = { alg: "ES256", kid: "key-1", crit: ["exp2"], exp2: 1 };
  const token = `${encode(header)}.${encode(usualClaims(origin))}.${"A".repeat(86)}`;
  expect(await reasonOf(token)).toMatchObject({ reason: "token_unsupported" });
});

test("the typ of anything but an access token is refused", async () => {
  const { tokenOf, reasonOf } = await setUpIssuer();
  for (const typ of ["logout+jwt", "dpop+jwt", "secevent+jwt", "JWE", "", 7]) {
    expect(await reasonOf(await tokenOf({}, { typ }))).toMatchObject({ reason: "type_refused" });
  }
});

test("the types that access tokens have are let in, in any case of letters", async () => {
  const { tokenOf, reasonOf } = await setUpIssuer();
  for (const typ of ["at+jwt", "AT+JWT", "application/at+jwt", "JWT", "jwt"]) {
    expect(await reasonOf(await tokenOf({}, { typ }))).toBe("let in");
  }
});

test("an encrypted token is refused", async () => {
  const { reasonOf } = await setUpIssuer();
  const token = await new CompactEncrypt(Buffer.from("{}"))
    .setProtectedHeader({ alg: "dir", enc: "A128GCM" })
    .encrypt(Buffer.alloc(16));
  expect(await reasonOf(token)).toMatchObject({ reason: "token_malformed" });
});

test("what is shaped like a token and holds no JSON is refused", async () => {
  const { reasonOf } = await setUpIssuer();
  for (const token of ["a.b.c", "..", "e30.e30.", "e30.W10.e30", "a.b", "a.b.c.d"]) {
    expect(await reasonOf(token)).toMatchObject({ reason: "token_malformed" });
  }
});

test("a token without a dot is nobody's, and no issuer is asked", async () => {
  const { reasonOf, fetched } = await setUpIssuer();
  expect(await reasonOf("opaque-reference-token")).toMatchObject({ reason: "token_unknown" });
  expect(fetched).toEqual([]);
});
