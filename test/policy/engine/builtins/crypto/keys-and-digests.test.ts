import { expect, it } from "vitest";
import { askBoth } from "../ask-both.ts";
import { makeCertificate, makeKeys, pemOf } from "./make-certificate.ts";

const keys = { ec: makeKeys("ec"), rsa: makeKeys("rsa"), ed: makeKeys("ed25519") };
const pkcs8 = (name: keyof typeof keys): string =>
  String(keys[name].privateKey.export({ type: "pkcs8", format: "pem" }));
const certificateOf = (name: keyof typeof keys): string =>
  makeCertificate({ subject: name, issuer: name, keys: keys[name], issuerKeys: keys[name] });

it("digests as opa does", async () => {
  const texts = ['""', '"abc"', '"é😀"'];
  const calls = texts.flatMap((text) => [
    ...["md5", "sha1", "sha256"].map((name) => `crypto.${name}(${text})`),
    ...["md5", "sha1", "sha256", "sha512"].map((name) => `crypto.hmac.${name}(${text}, "key")`),
    `crypto.hmac.sha256("text", ${text})`,
    `crypto.hmac.equal(${text}, "abc")`,
  ]);
  const { ours, opas } = await askBoth(calls);
  expect(ours).toEqual(opas);
  expect(new Set(ours).size).toBeGreaterThan(20);
}, 60_000);

it("reads private keys and key pairs as opa does, and refuses what opa refuses", async () => {
  const data = {
    keys: {
      ec: pkcs8("ec"),
      rsa: pkcs8("rsa"),
      ed: pkcs8("ed"),
      sec1: String(keys.ec.privateKey.export({ type: "sec1", format: "pem" })),
      pkcs1: String(keys.rsa.privateKey.export({ type: "pkcs1", format: "pem" })),
      both: `${pkcs8("ec")}text between\n${pkcs8("ed")}`,
      certificate: certificateOf("ec"),
      broken: pemOf("PRIVATE KEY", Buffer.from("no key")),
      empty: "",
      junk: "junk",
    },
    certificates: { ec: certificateOf("ec"), rsa: certificateOf("rsa"), ed: certificateOf("ed") },
  };
  const names = Object.keys(data.keys);
  const calls = [
    ...names.map((name) => `crypto.parse_private_keys(cases.keys.${name})`),
    ...names.map((name) => `crypto.x509.parse_rsa_private_key(cases.keys.${name})`),
    ...["ec", "rsa", "ed"].map(
      (name) => `crypto.x509.parse_keypair(cases.certificates.${name}, cases.keys.${name})`,
    ),
    "crypto.x509.parse_keypair(cases.certificates.ec, cases.keys.rsa)",
    "crypto.x509.parse_keypair(cases.keys.ec, cases.keys.ec)",
    "crypto.x509.parse_certificates(cases.keys.ec)",
    'crypto.x509.parse_certificates("Zm9v")',
    "crypto.x509.parse_certificate_request(cases.certificates.ec)",
  ];
  const { ours, opas } = await askBoth(calls, data);
  expect(ours).toEqual(opas);
  expect(ours.filter((answer) => answer !== undefined).length).toBeGreaterThan(15);
  expect(ours.slice(-5)).toEqual(Array(5).fill(undefined));
}, 60_000);
