/**
 * Certificate signing requests in the fields of Go's `x509.CertificateRequest`.
 */
import { allInside, bitsOf, derTag, identifierOf, integerOf, readDer, readInside } from "./der.ts";
import type { DerValue } from "./der.ts";
import type { ExactJson } from "./exact-json.ts";
import { readExtensions } from "./x509-extensions.ts";
import type { Extension } from "./x509-extensions.ts";
import { extensionsJson, subjectNamesJson } from "./x509-fields-json.ts";
import { noNames, readSubjectNames } from "./x509-general-names.ts";
import { listOrNull, numbersOf, readName } from "./x509-name.ts";
import { readPublicKey, readSignatureAlgorithm } from "./x509-public-key.ts";

const extensionRequest = "1.2.840.113549.1.9.14";
const subjectAltName = "2.5.29.17";

/** Reads one request; what follows it is an error. */
export function readRequestJson(bytes: Buffer): ExactJson {
  const reader = readDer(bytes);
  const request = reader.next(derTag.sequence);
  if (!reader.isEmpty()) throw new Error("expected one request, found more bytes");
  const outer = readInside(request);
  const tbs = outer.next(derTag.sequence);
  const algorithm = readSignatureAlgorithm(outer.next(derTag.sequence));
  const signature = bitsOf(outer.next(derTag.bitString)).bytes;
  const inner = readInside(tbs);
  const version = integerOf(inner.next(derTag.integer));
  const subject = inner.next(derTag.sequence);
  const publicKey = inner.next(derTag.sequence);
  const key = readPublicKey(publicKey);
  const attributes = inner.peek() === 0xa0 ? allInside(inner.next()) : [];
  const extensions = attributes.flatMap(extensionsOf);
  const names = extensions.find(({ id }) => id === subjectAltName);
  return {
    Raw: request.raw.toString("base64"),
    RawTBSCertificateRequest: tbs.raw.toString("base64"),
    RawSubjectPublicKeyInfo: publicKey.raw.toString("base64"),
    RawSubject: subject.raw.toString("base64"),
    Version: version,
    Signature: signature.toString("base64"),
    SignatureAlgorithm: algorithm.number,
    PublicKeyAlgorithm: key.algorithm,
    PublicKey: key.json,
    Subject: readName(subject),
    Attributes: listOrNull(attributes.flatMap(attributeJson)),
    Extensions: extensionsJson(extensions),
    ExtraExtensions: null,
    ...subjectNamesJson(names === undefined ? noNames : readSubjectNames(names.value)),
  };
}

function extensionsOf(attribute: DerValue): readonly Extension[] {
  const reader = readInside(attribute);
  if (identifierOf(reader.next(derTag.objectIdentifier)) !== extensionRequest) return [];
  return allInside(reader.next(derTag.set)).flatMap(readExtensions);
}

/** An attribute whose values are lists of typed values, which is what Go can show; others are left out. */
function attributeJson(attribute: DerValue): readonly ExactJson[] {
  const reader = readInside(attribute);
  const type = identifierOf(reader.next(derTag.objectIdentifier));
  if (type !== extensionRequest) return [];
  const lists = allInside(reader.next(derTag.set)).map((list) =>
    readExtensions(list).map(({ id, value }) => ({
      Type: numbersOf(id),
      Value: value.toString("base64"),
    })),
  );
  return [{ Type: numbersOf(type), Value: lists }];
}
