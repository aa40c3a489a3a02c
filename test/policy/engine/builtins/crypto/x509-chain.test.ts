import { expect, it } from "vitest";
import { askBoth } from "../ask-both.ts";
import { extensions, generalNames, makeCertificate, makeKeys } from "./make-certificate.ts";
import type { CertificateParts } from "./make-certificate.ts";

const [rootKeys, middleKeys, leafKeys, strangerKeys] = [
  makeKeys("rsa"),
  makeKeys(),
  makeKeys("ed25519"),
  makeKeys(),
];
const { authority, names, usages, permitted, excluded, keyUsage, unknown } = extensions;
const { dns, mail, uri, ip } = generalNames;
const [serverAuth, clientAuth] = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"];
const timeNs = BigInt(Date.parse("2026-06-01T00:00:00Z")) * 1_000_000n;

interface Chain {
  readonly root?: Partial<CertificateParts>;
  readonly middle?: Partial<CertificateParts>;
  readonly leaf?: Partial<CertificateParts>;
  /** Members of the options, beside the time. */
  readonly options?: string;
}

function pemOf({ root, middle, leaf }: Chain): string {
  const certificates = [
    {
      subject: "root",
      issuer: "root",
      keys: rootKeys,
      issuerKeys: rootKeys,
      extensions: [authority(true)],
      ...root,
    },
    {
      subject: "middle",
      issuer: "root",
      keys: middleKeys,
      issuerKeys: rootKeys,
      extensions: [authority(true)],
      ...middle,
    },
    {
      subject: "leaf",
      issuer: "middle",
      keys: leafKeys,
      issuerKeys: middleKeys,
      extensions: [names(dns("a.example.com"))],
      ...leaf,
    },
  ];
  return certificates.map(makeCertificate).join("");
}

const chains: Readonly<Record<string, readonly [boolean, Chain]>> = {
  "a root, an authority and a leaf": [true, {}],
  "a leaf without extensions": [true, { leaf: { extensions: [] } }],
  "the leaf's name as the host": [true, { options: '"DNSName": "A.example.com"' }],
  "a wildcard for the host": [
    true,
    { leaf: { extensions: [names(dns("*.example.com"))] }, options: '"DNSName": "b.example.com"' },
  ],
  "an address for the host": [
    true,
    { leaf: { extensions: [names(ip(10, 0, 0, 1))] }, options: '"DNSName": "10.0.0.1"' },
  ],
  "a usage that is asked for": [
    true,
    { leaf: { extensions: [usages(clientAuth)] }, options: '"KeyUsages": ["KeyUsageClientAuth"]' },
  ],
  "any usage": [
    true,
    { leaf: { extensions: [usages("1.2.3")] }, options: '"KeyUsages": ["KeyUsageAny"]' },
  ],
  "a name that is permitted": [
    true,
    { middle: { extensions: [authority(true), permitted(dns("example.com"))] } },
  ],
  "a mail address that is permitted": [
    true,
    {
      middle: { extensions: [authority(true), permitted(mail("example.com"))] },
      leaf: { extensions: [names(mail("x@example.com"))] },
    },
  ],
  "an address range that is permitted": [
    true,
    {
      middle: { extensions: [authority(true), permitted(ip(10, 0, 0, 0, 255, 0, 0, 0))] },
      leaf: { extensions: [names(ip(10, 9, 9, 9))] },
    },
  ],
  "a critical extension that nobody knows in the leaf": [
    false,
    { leaf: { extensions: [unknown(true)] } },
  ],
  "one that is not critical": [true, { leaf: { extensions: [unknown(false)] } }],
  "a leaf that another key signed": [false, { leaf: { issuerKeys: strangerKeys } }],
  "an authority that another key signed": [false, { middle: { issuerKeys: strangerKeys } }],
  "a leaf of another issuer": [false, { leaf: { issuer: "stranger" } }],
  "an authority that is none": [false, { middle: { extensions: [authority(false)] } }],
  "an authority that does not say so": [false, { middle: { extensions: [] } }],
  "an authority that may not sign certificates": [
    false,
    { middle: { extensions: [authority(true), keyUsage(0x80)] } },
  ],
  "an authority that may": [true, { middle: { extensions: [authority(true), keyUsage(0x04)] } }],
  "a path that is too long for the root": [false, { root: { extensions: [authority(true, 0)] } }],
  "a path that is as long as the root allows": [
    true,
    { root: { extensions: [authority(true, 1)] } },
  ],
  "a leaf that has expired": [false, { leaf: { notAfter: "20250101000000Z" } }],
  "a leaf that is not valid yet": [false, { leaf: { notBefore: "20270101000000Z" } }],
  "an authority that has expired": [false, { middle: { notAfter: "20250101000000Z" } }],
  "a root that has expired": [false, { root: { notAfter: "20250101000000Z" } }],
  "a digest that is broken": [false, { leaf: { digest: "sha1" } }],
  "another host": [false, { options: '"DNSName": "b.example.com"' }],
  "a wildcard for two labels": [
    false,
    { leaf: { extensions: [names(dns("*.com"))] }, options: '"DNSName": "a.example.com"' },
  ],
  "the common name as the host": [
    false,
    { leaf: { subject: "a.example.com", extensions: [] }, options: '"DNSName": "a.example.com"' },
  ],
  "a usage that the leaf does not have": [false, { leaf: { extensions: [usages(clientAuth)] } }],
  "a usage that the authority does not have": [
    false,
    {
      middle: { extensions: [authority(true), usages(clientAuth)] },
      leaf: { extensions: [usages(serverAuth, clientAuth)] },
    },
  ],
  "a name that is not permitted": [
    false,
    { middle: { extensions: [authority(true), permitted(dns("example.org"))] } },
  ],
  "a name that the root does not permit": [
    false,
    { root: { extensions: [authority(true), permitted(dns("example.org"))] } },
  ],
  "a name that is excluded": [
    false,
    { middle: { extensions: [authority(true), excluded(dns("example.com"))] } },
  ],
  "a wildcard over a name that is excluded": [
    false,
    {
      middle: { extensions: [authority(true), excluded(dns("a.example.com"))] },
      leaf: { extensions: [names(dns("*.example.com"))] },
    },
  ],
  "a mail address that is not permitted": [
    false,
    {
      middle: { extensions: [authority(true), permitted(mail("example.org"))] },
      leaf: { extensions: [names(mail("x@example.com"))] },
    },
  ],
  "a mailbox that is excluded": [
    false,
    {
      middle: { extensions: [authority(true), excluded(mail("x@example.com"))] },
      leaf: { extensions: [names(mail("x@EXAMPLE.com"))] },
    },
  ],
  "an address that is excluded": [
    false,
    {
      middle: { extensions: [authority(true), excluded(ip(10, 0, 0, 0, 255, 0, 0, 0))] },
      leaf: { extensions: [names(ip(10, 9, 9, 9))] },
    },
  ],
  "a uri whose host is not permitted": [
    false,
    {
      middle: { extensions: [authority(true), permitted(uri("example.org"))] },
      leaf: { extensions: [names(uri("spiffe://example.com/a"))] },
    },
  ],
  "a uri whose host is permitted": [
    true,
    {
      middle: { extensions: [authority(true), permitted(uri(".example.com"))] },
      leaf: { extensions: [names(uri("spiffe://a.example.com/a"))] },
    },
  ],
};

it("verifies the chains that opa verifies, and no others", async () => {
  const calls = Object.values(chains).map(
    ([, { options = "" }], place) =>
      `crypto.x509.parse_and_verify_certificates_with_options(cases.chains[${place}], {"CurrentTime": ${timeNs}, ${options}})[0]`,
  );
  const pems = Object.values(chains).map(([, chain]) => pemOf(chain));
  const { ours, opas } = await askBoth(calls, { chains: pems });
  const verdicts = Object.keys(chains).map((name, place) => [name, ours[place]]);
  expect(verdicts).toEqual(Object.entries(chains).map(([name, [valid]]) => [name, String(valid)]));
  expect(ours).toEqual(opas);
}, 120_000);

it("refuses a chain whose authority demands a certificate policy, which opa would weigh", async () => {
  const demanding = ["2.5.29.36", true, Buffer.from("3003800100", "hex")] as const;
  const pem = pemOf({ middle: { extensions: [authority(true), demanding] } });
  const { ours } = await askBoth(["crypto.x509.parse_and_verify_certificates(cases.pem)"], { pem });
  expect(ours).toEqual(["[false,[]]"]);
}, 60_000);

it("answers the fields that opa answers", async () => {
  const pem = pemOf({
    middle: {
      extensions: [
        authority(true, 3),
        keyUsage(0x06),
        permitted(dns(".example.com"), ip(10, 0, 0, 0, 255, 0, 0, 0)),
        unknown(true),
      ],
    },
    leaf: {
      extensions: [
        names(dns("a"), mail("b@c"), uri("SPIFFE://d/e%20f?g#h"), ip(...Array<number>(16).fill(1))),
        usages(serverAuth, "1.2.3"),
      ],
    },
  });
  const base64 = Buffer.from(pem).toString("base64");
  const { ours, opas } = await askBoth(
    ["crypto.x509.parse_certificates(cases.pem)", "crypto.x509.parse_certificates(cases.base64)"],
    { pem, base64 },
  );
  expect(ours).toEqual(opas);
  expect(ours[0]).toContain("PermittedDNSDomains");
  expect(ours[1]).toBe(ours[0]);
}, 60_000);
