/**
 * X.509 certificates: what a chain is judged by, and the fields that Go's `x509.Certificate` has in
 * JSON.
 */
import { bitsOf, derTag, integerOf, readDer, readInside, timeOf } from "./der.ts";
import type { DerReader, DerValue } from "./der.ts";
import type { ExactJson } from "./exact-json.ts";
import { readExtensions, readFields } from "./x509-extensions.ts";
import type { Extension, ExtensionFields } from "./x509-extensions.ts";
import { extensionFieldsJson, extensionsJson } from "./x509-fields-json.ts";
import { readName } from "./x509-name.ts";
import { readPublicKey, readSignatureAlgorithm } from "./x509-public-key.ts";
import type { SignatureAlgorithm } from "./x509-public-key.ts";

export interface Certificate {
  readonly raw: Buffer;
  readonly rawTbs: Buffer;
  readonly rawIssuer: Buffer;
  readonly rawSubject: Buffer;
  readonly rawPublicKey: Buffer;
  /** Go's `x509.PublicKeyAlgorithm`. */
  readonly publicKeyAlgorithm: number;
  readonly version: number;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signature: Buffer;
  readonly extensions: readonly Extension[];
  readonly fields: ExtensionFields;
  /** As Go writes the structure. */
  readonly json: Readonly<Record<string, ExactJson>>;
}

/** Reads certificates that follow each other. */
export function readCertificates(bytes: Buffer): readonly Certificate[] {
  const reader = readDer(bytes);
  const certificates: Certificate[] = [];
  while (!reader.isEmpty()) certificates.push(readCertificate(reader.next(derTag.sequence)));
  return certificates;
}

function readCertificate(value: DerValue): Certificate {
  const outer = readInside(value);
  const tbs = outer.next(derTag.sequence);
  const identifier = outer.next(derTag.sequence);
  const signature = bitsOf(outer.next(derTag.bitString)).bytes;
  const reader = readInside(tbs);
  const version = readVersion(reader);
  const serial = integerOf(reader.next(derTag.integer));
  const inner = reader.next(derTag.sequence);
  if (serial < 0n || !inner.raw.equals(identifier.raw)) throw invalidCertificate();
  const issuer = reader.next(derTag.sequence);
  const validity = readInside(reader.next(derTag.sequence));
  const [notBeforeMs, notAfterMs] = [readTime(validity), readTime(validity)];
  const subject = reader.next(derTag.sequence);
  const publicKey = reader.next(derTag.sequence);
  const extensions = readVersionExtensions(reader, version);
  const parts = {
    raw: value.raw,
    rawTbs: tbs.raw,
    rawIssuer: issuer.raw,
    rawSubject: subject.raw,
    rawPublicKey: publicKey.raw,
    version,
    notBeforeMs,
    notAfterMs,
    signatureAlgorithm: readSignatureAlgorithm(identifier),
    signature,
    extensions,
    fields: readFields(extensions),
  };
  return withJson(parts, { serial, issuer, subject, publicKey });
}

type Parts = Omit<Certificate, "json" | "publicKeyAlgorithm">;

function withJson(
  parts: Parts,
  more: { serial: bigint; issuer: DerValue; subject: DerValue; publicKey: DerValue },
): Certificate {
  const key = readPublicKey(more.publicKey);
  return {
    ...parts,
    publicKeyAlgorithm: key.algorithm,
    json: {
      Raw: parts.raw.toString("base64"),
      RawTBSCertificate: parts.rawTbs.toString("base64"),
      RawSubjectPublicKeyInfo: parts.rawPublicKey.toString("base64"),
      RawSubject: parts.rawSubject.toString("base64"),
      RawIssuer: parts.rawIssuer.toString("base64"),
      Signature: parts.signature.toString("base64"),
      SignatureAlgorithm: parts.signatureAlgorithm.number,
      PublicKeyAlgorithm: key.algorithm,
      PublicKey: key.json,
      Version: parts.version,
      SerialNumber: more.serial,
      Issuer: readName(more.issuer),
      Subject: readName(more.subject),
      NotBefore: timeText(parts.notBeforeMs),
      NotAfter: timeText(parts.notAfterMs),
      Extensions: extensionsJson(parts.extensions),
      ExtraExtensions: null,
      ...extensionFieldsJson(parts.fields),
    },
  };
}

/** 1 to 3; the encoding counts from 0 and leaves the first out. */
function readVersion(reader: DerReader): number {
  if (reader.peek() !== 0xa0) return 1;
  const version = integerOf(readInside(reader.next()).next(derTag.integer)) + 1n;
  if (version < 1n || version > 3n) throw invalidCertificate();
  return Number(version);
}

function readVersionExtensions(reader: DerReader, version: number): readonly Extension[] {
  if (version > 1 && reader.peek() === 0x81) reader.next();
  if (version > 1 && reader.peek() === 0x82) reader.next();
  if (version < 3 || reader.peek() !== 0xa3) return [];
  return readExtensions(readInside(reader.next()).next(derTag.sequence));
}

function readTime(reader: DerReader): number {
  const value = reader.next();
  if (value.tag !== derTag.utcTime && value.tag !== derTag.generalizedTime) {
    throw invalidCertificate();
  }
  return timeOf(value);
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(".000Z", "Z");
}

function invalidCertificate(): Error {
  return new Error("expected a certificate, found other values");
}
