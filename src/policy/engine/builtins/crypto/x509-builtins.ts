/**
 * `crypto.x509.*` and `crypto.parse_private_keys`: certificates, chains, requests and keys, in PEM or
 * in Base64 of PEM or of DER.
 */
import { createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { OpaValue } from "../../opa-value.ts";
import type { Builtin, BuiltinContext, BuiltinGroup } from "../builtin.ts";
import { int64Of, ofTexts, textOf, textsOf } from "../operands.ts";
import { exactJsonText } from "./exact-json.ts";
import type { ExactJson } from "./exact-json.ts";
import { expectBase64, isPem, readPem } from "./pem.ts";
import type { PemBlock } from "./pem.ts";
import { privateKeyBuiltins, privateKeyJson, readPrivateKey } from "./private-keys.ts";
import { trimCharacters } from "./trim-characters.ts";
import { undefinedOnError } from "./undefined-on-error.ts";
import { readCertificates } from "./x509-certificate.ts";
import type { Certificate } from "./x509-certificate.ts";
import { verifyChain } from "./x509-chain.ts";
import type { ChainOptions } from "./x509-chain.ts";
import { readRequestJson } from "./x509-request.ts";

const usageNames = [
  "Any",
  "ServerAuth",
  "ClientAuth",
  "CodeSigning",
  "EmailProtection",
  "IPSECEndSystem",
  "IPSECTunnel",
  "IPSECUser",
  "TimeStamping",
  "OCSPSigning",
  "MicrosoftServerGatedCrypto",
  "NetscapeServerGatedCrypto",
  "MicrosoftCommercialCodeSigning",
  "MicrosoftKernelCodeSigning",
];
const notVerified = "[false,[]]";

const verifyCertificates: Builtin = ([text], context) => {
  const pem = textOf(text);
  return pem === undefined ? undefined : verified(pem, defaultOptions(context), withUris);
};

const verifyWithOptions: Builtin = ([text, given], context) => {
  const pem = textOf(text);
  if (pem === undefined || given?.kind !== "object") return undefined;
  if (tryRead(pem) === undefined) return notVerified;
  const options = readOptions(given, context);
  return options === undefined ? undefined : verified(pem, options, ({ json }) => json);
};

const parseRequest = ofTexts((text: string) => {
  const isRequest = text.startsWith("-----BEGIN CERTIFICATE REQUEST-----");
  const bytes = isRequest ? Buffer.from(text) : expectBase64(text);
  const [block] = readPem(bytes.toString("utf8")).blocks;
  if (block !== undefined && block.type !== "CERTIFICATE REQUEST") return undefined;
  return exactJsonText(readRequestJson(block?.bytes ?? bytes));
});

const parseKeyPair = ofTexts((certificateText: string, keyText: string) => {
  const chain = pemBlocks(certificateText, "CERTIFICATE").filter(
    ({ type }) => type === "CERTIFICATE",
  );
  const keyBlock = pemBlocks(keyText, "PRIVATE KEY").find(({ type }) =>
    /(?:^| )PRIVATE KEY$/.test(type),
  );
  const [first] = chain;
  const [leaf] = first === undefined ? [] : readCertificates(first.bytes);
  const key = keyBlock === undefined ? undefined : readPrivateKey(keyBlock);
  if (leaf === undefined || key === undefined || !isKeyOf(leaf, key)) return undefined;
  return exactJsonText({
    Certificate: chain.map(({ bytes }) => bytes.toString("base64")),
    PrivateKey: privateKeyJson(key),
    SupportedSignatureAlgorithms: null,
    OCSPStaple: null,
    SignedCertificateTimestamps: null,
    Leaf: leaf.json,
  });
});

export const x509Builtins: BuiltinGroup = {
  ...privateKeyBuiltins,
  "crypto.x509.parse_and_verify_certificates": verifyCertificates,
  "crypto.x509.parse_and_verify_certificates_with_options": verifyWithOptions,
  "crypto.x509.parse_certificate_request": undefinedOnError(parseRequest),
  "crypto.x509.parse_certificates": undefinedOnError(
    ofTexts((text: string) => exactJsonText(certificatesOf(text).map(withUris))),
  ),
  "crypto.x509.parse_keypair": undefinedOnError(parseKeyPair),
};

/** `[true, chain]`, or `[false, []]` whatever the reason. */
function verified(
  pem: string,
  options: ChainOptions,
  show: (certificate: Certificate) => ExactJson,
): string {
  try {
    const chain = verifyChain(certificatesOf(pem), options);
    return chain === undefined ? notVerified : exactJsonText([true, chain.map(show)]);
  } catch {
    return notVerified;
  }
}

function tryRead(pem: string): readonly Certificate[] | undefined {
  try {
    return certificatesOf(pem);
  } catch {
    return undefined;
  }
}

function certificatesOf(text: string): readonly Certificate[] {
  const bytes = isPem(text) ? Buffer.from(text) : expectBase64(text);
  if (!bytes.toString("latin1", 0, 10).startsWith("-----BEGIN")) return readCertificates(bytes);
  const { blocks } = readPem(bytes.toString("utf8"));
  if (blocks.some(({ type }) => type !== "CERTIFICATE")) throw new Error("expected certificates");
  return readCertificates(Buffer.concat(blocks.map((block) => block.bytes)));
}

/** PEM, Base64 of PEM, or Base64 of the bytes of one block. */
function pemBlocks(text: string, type: string): readonly PemBlock[] {
  if (isPem(text)) return readPem(text).blocks;
  const bytes = expectBase64(text);
  const decoded = bytes.toString("utf8");
  return isPem(decoded) ? readPem(decoded).blocks : [{ type, bytes }];
}

function isKeyOf({ rawPublicKey }: Certificate, key: KeyObject): boolean {
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return spki.equals(rawPublicKey);
}

function withUris({ json, fields }: Certificate): ExactJson {
  const uris = fields.names.uris.map((uri) =>
    uri.replace(/^[^:/?#]+:/, (scheme) => scheme.toLowerCase()),
  );
  return { ...json, URIStrings: uris.length === 0 ? null : uris };
}

function defaultOptions({ timeMs }: BuiltinContext): ChainOptions {
  return { timeMs, host: "", usages: [] };
}

/** Undefined for an option that is not known or of another type; OPA reports an error. */
function readOptions(
  given: OpaValue & { kind: "object" },
  context: BuiltinContext,
): ChainOptions | undefined {
  let options: ChainOptions | undefined = defaultOptions(context);
  for (const [key, value] of given.members) {
    const name = textOf(key);
    // OPA passes over keys that are no strings.
    if (name !== undefined && options !== undefined) options = withOption(options, name, value);
  }
  return options;
}

function withOption(
  options: ChainOptions,
  name: string,
  value: OpaValue,
): ChainOptions | undefined {
  switch (name) {
    case "DNSName": {
      const host = textOf(value);
      return host === undefined ? undefined : { ...options, host: trimCharacters(host, '"') };
    }
    case "CurrentTime": {
      const timeNs = int64Of(value);
      return timeNs === undefined ? undefined : { ...options, timeMs: Number(timeNs) / 1e6 };
    }
    case "MaxConstraintComparisons":
      return int64Of(value) === undefined ? undefined : options;
    case "KeyUsages": {
      const usages = textsOf(value)?.map((usage) =>
        usageNames.indexOf(usage.replace(/^KeyUsage/, "")),
      );
      return usages === undefined || usages.includes(-1) ? undefined : { ...options, usages };
    }
    default:
      return undefined;
  }
}
