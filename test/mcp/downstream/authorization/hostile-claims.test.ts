/**
 * Well-signed tokens that must not come in: of another issuer, for another audience, at another time,
 * or bound to what nobody can check.
 */
import { expect, test } from "vitest";
import {
  encode,
  issuerConfig,
  setUp,
  setUpIssuer,
  startIssuer,
  startMs,
  usualClaims,
} from "./support.ts";

const nowSeconds = startMs / 1000;

test("an issuer that is not configured exactly so is refused without a request to it", async () => {
  const { origin, signer, reasonOf, fetched } = await setUpIssuer();
  const strangers = [`${origin}/`, origin.toUpperCase(), "https://evil.example", `${origin}#x`];
  for (const iss of strangers) {
    const token = await signer.sign({ ...usualClaims(origin), iss });
    expect(await reasonOf(token)).toMatchObject({ reason: "issuer_unknown" });
  }
  expect(fetched).toEqual([]);
});

test("a token without issuer, or with several, is refused", async () => {
  const { origin, reasonOf } = await setUpIssuer();
  for (const iss of [undefined, null, [origin], 7]) {
    const claims = encode({ ...usualClaims(origin), iss });
    const token = `${encode({ alg: "ES256", kid: "key-1" })}.${claims}.AAAA`;
    expect(await reasonOf(token)).toMatchObject({ reason: "token_malformed" });
  }
});

test("a token of one configured issuer that another one signed is refused", async () => {
  const [first, second] = [await startIssuer(), await startIssuer()];
  const { authenticate, log } = setUp({
    issuers: [issuerConfig(first.origin), issuerConfig(second.origin)],
  });
  expect(await authenticate(await second.tokenOf({ iss: first.origin }))).toMatchObject({
    status: 401,
  });
  expect(log.lines.at(-1)?.data).toMatchObject({ reason: "signature_invalid" });
});

test("a token for another audience is refused: neighbours, prefixes and upstreams", async () => {
  const { tokenOf, reasonOf } = await setUpIssuer();
  const others = [
    "https://gateway.example",
    "https://gateway.example/mcp/",
    "https://gateway.example/mcp2",
    "http://gateway.example/mcp",
    "https://crm.example/mcp",
    ["https://gateway.example/", "x"],
    [],
  ];
  for (const aud of others) {
    expect(await reasonOf(await tokenOf({ aud }))).toMatchObject({ reason: "audience_mismatch" });
  }
});

test("a token for several audiences is let in where the gateway is one of them", async () => {
  const { tokenOf, reasonOf } = await setUpIssuer();
  const aud = ["https://other.example", "https://gateway.example/mcp"];
  expect(await reasonOf(await tokenOf({ aud }))).toBe("let in");
});

test("a configured audience takes the place of the gateway's URL", async () => {
  const { tokenOf, reasonOf } = await setUpIssuer({ audience: ["api://gateway"] });
  expect(await reasonOf(await tokenOf({ aud: "api://gateway" }))).toBe("let in");
  expect(await reasonOf(await tokenOf())).toMatchObject({ reason: "audience_mismatch" });
});

test("the URL of a gateway without a path is the same with and without its slash", async () => {
  const issuer = await startIssuer();
  const gate = setUp(
    { issuers: [issuerConfig(issuer.origin)] },
    { resource: "https://gateway.example" },
  );
  for (const aud of ["https://gateway.example", "https://gateway.example/"]) {
    expect(await gate.authenticate(await issuer.tokenOf({ aud }))).toMatchObject({ ok: true });
  }
});

test("claims that have to be there are named when they are not", async () => {
  const { tokenOf, reasonOf, origin } = await setUpIssuer();
  for (const claim of ["aud", "exp"]) {
    const answer = await reasonOf(await tokenOf({ [claim]: undefined }));
    expect(answer).toMatchObject({ reason: "claim_missing", claim, issuer: origin });
  }
});

test("times that are no numbers are refused", async () => {
  const { origin, signer, reasonOf } = await setUpIssuer();
  for (const claim of ["exp", "nbf", "iat"]) {
    const claims = { ...usualClaims(origin), [claim]: "2027-01-01" };
    const token = await signer.sign(claims);
    expect(await reasonOf(token)).toMatchObject({ reason: "claim_invalid", claim });
  }
});

test("a token is let in until 30 seconds after its end, not a second longer", async () => {
  const { tokenOf, reasonOf } = await setUpIssuer();
  expect(await reasonOf(await tokenOf({ exp: nowSeconds - 29 }))).toBe("let in");
  const late = await tokenOf({ exp: nowSeconds - 30 });
  expect(await reasonOf(late)).toMatchObject({ reason: "token_expired" });
});

test("a token of the future is let in from 30 seconds before its time", async () => {
  const { tokenOf, reasonOf } = await setUpIssuer();
  for (const claim of ["nbf", "iat"]) {
    expect(await reasonOf(await tokenOf({ [claim]: nowSeconds + 30 }))).toBe("let in");
    const early = await tokenOf({ [claim]: nowSeconds + 31 });
    expect(await reasonOf(early)).toMatchObject({ reason: "token_not_yet_valid" });
  }
});

test("a token that is bound to a key (DPoP, mTLS) is refused: nobody checked the proof", async () => {
  const { tokenOf, reasonOf } = await setUpIssuer();
  for (const cnf of [{ jkt: "thumbprint" }, { "x5t#S256": "thumbprint" }, {}, null]) {
    expect(await reasonOf(await tokenOf({ cnf }))).toMatchObject({ reason: "proof_unsupported" });
  }
});
