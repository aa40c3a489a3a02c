/**
 * The extensions of certificates and what Go makes of them. One that is not known is kept as its
 * bytes, and named where it is critical.
 */
import {
  allInside,
  bitsOf,
  booleanOf,
  derTag,
  identifierOf,
  integerOf,
  readDer,
  readInside,
} from "./der.ts";
import type { DerValue } from "./der.ts";
import {
  noConstraints,
  noNames,
  readNameConstraints,
  readSubjectNames,
} from "./x509-general-names.ts";
import type { NameConstraints, SubjectNames } from "./x509-general-names.ts";

export interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

/** What the known extensions say; Go's zero values where one is missing. */
export interface ExtensionFields {
  keyUsage: number;
  basicConstraints: { isCa: boolean; maxPathLength: number } | undefined;
  names: SubjectNames;
  constraints: NameConstraints & { readonly critical: boolean };
  revocationLists: string[];
  authorityKeyId: Buffer | undefined;
  requireExplicitPolicy: number | undefined;
  inhibitPolicyMapping: number | undefined;
  /** Object identifiers. */
  extendedKeyUsage: string[];
  subjectKeyId: Buffer | undefined;
  policies: string[] | undefined;
  policyMappings: { issuer: string; subject: string }[];
  inhibitAnyPolicy: number | undefined;
  ocspServers: string[];
  issuerUrls: string[];
  unhandledCritical: string[];
}

/** Reads a value into the fields; false where it said nothing that is understood. */
type ReadExtension = (fields: ExtensionFields, extension: Extension) => boolean;

const uriTag = 0x86;
const readers: Readonly<Record<string, ReadExtension>> = {
  "2.5.29.14": (fields, { value, critical }) => {
    if (critical) throw invalidExtension();
    fields.subjectKeyId = readDer(value).next(derTag.octetString).content;
    return true;
  },
  "2.5.29.15": (fields, { value }) => {
    fields.keyUsage = usageOf(readDer(value).next(derTag.bitString));
    return true;
  },
  "2.5.29.17": (fields, { value }) => {
    fields.names = readSubjectNames(value);
    return Object.values(fields.names).some(({ length }) => length > 0);
  },
  "2.5.29.19": readBasicConstraints,
  "2.5.29.30": (fields, { value, critical }) => {
    fields.constraints = { ...readNameConstraints(value), critical };
    return !fields.constraints.isPartial;
  },
  "2.5.29.31": (fields, { value }) => {
    fields.revocationLists = sequence(value).flatMap(revocationListsOf);
    return true;
  },
  "2.5.29.32": (fields, { value }) => {
    fields.policies = sequence(value).map((policy) => firstIdentifier(policy));
    if (new Set(fields.policies).size !== fields.policies.length) throw invalidExtension();
    return true;
  },
  "2.5.29.33": (fields, { value }) => {
    fields.policyMappings = sequence(value).map((mapping) => {
      const reader = readInside(mapping);
      const [issuer = "", subject = ""] = [reader, reader].map((pair) =>
        identifierOf(pair.next(derTag.objectIdentifier)),
      );
      return { issuer, subject };
    });
    return true;
  },
  "2.5.29.35": (fields, { value, critical }) => {
    if (critical) throw invalidExtension();
    const reader = readInside(readDer(value).next(derTag.sequence));
    fields.authorityKeyId = reader.peek() === 0x80 ? reader.next().content : undefined;
    return true;
  },
  "2.5.29.36": (fields, { value }) => {
    const reader = readInside(readDer(value).next(derTag.sequence));
    if (reader.peek() === 0x80) fields.requireExplicitPolicy = Number(integerOf(reader.next()));
    if (reader.peek() === 0x81) fields.inhibitPolicyMapping = Number(integerOf(reader.next()));
    return true;
  },
  "2.5.29.37": (fields, { value }) => {
    fields.extendedKeyUsage = sequence(value).map((usage) => {
      if (usage.tag !== derTag.objectIdentifier) throw invalidExtension();
      return identifierOf(usage);
    });
    return true;
  },
  "2.5.29.54": (fields, { value }) => {
    fields.inhibitAnyPolicy = Number(integerOf(readDer(value).next(derTag.integer)));
    return true;
  },
  "1.3.6.1.5.5.7.1.1": readAuthorityAccess,
};

/** The extensions of a sequence, each at most once. */
export function readExtensions(values: DerValue): readonly Extension[] {
  const extensions = allInside(values).map(readExtension);
  if (new Set(extensions.map(({ id }) => id)).size !== extensions.length) throw invalidExtension();
  return extensions;
}

/** Everything that the known ones say. */
export function readFields(extensions: readonly Extension[]): ExtensionFields {
  const fields: ExtensionFields = {
    keyUsage: 0,
    basicConstraints: undefined,
    names: noNames,
    constraints: { ...noConstraints, critical: false },
    revocationLists: [],
    authorityKeyId: undefined,
    requireExplicitPolicy: undefined,
    inhibitPolicyMapping: undefined,
    extendedKeyUsage: [],
    subjectKeyId: undefined,
    policies: undefined,
    policyMappings: [],
    inhibitAnyPolicy: undefined,
    ocspServers: [],
    issuerUrls: [],
    unhandledCritical: [],
  };
  for (const extension of extensions) {
    const isHandled = readers[extension.id]?.(fields, extension) ?? false;
    if (extension.critical && !isHandled) fields.unhandledCritical.push(extension.id);
  }
  return fields;
}

function readExtension(value: DerValue): Extension {
  const reader = readInside(value);
  const id = identifierOf(reader.next(derTag.objectIdentifier));
  const critical = reader.peek() === derTag.boolean && booleanOf(reader.next());
  return { id, critical, value: reader.next(derTag.octetString).content };
}

function readBasicConstraints(fields: ExtensionFields, { value }: Extension): boolean {
  const reader = readInside(readDer(value).next(derTag.sequence));
  const isCa = reader.peek() === derTag.boolean && booleanOf(reader.next());
  const length = reader.peek() === derTag.integer ? integerOf(reader.next()) : -1n;
  if (length < -1n || length > 2n ** 63n - 1n) throw invalidExtension();
  fields.basicConstraints = { isCa, maxPathLength: Number(length) };
  return true;
}

function readAuthorityAccess(fields: ExtensionFields, { value, critical }: Extension): boolean {
  if (critical) throw invalidExtension();
  for (const access of sequence(value)) {
    const reader = readInside(access);
    const method = identifierOf(reader.next(derTag.objectIdentifier));
    if (reader.peek() !== uriTag) continue;
    const url = reader.next().content.toString("utf8");
    if (method === "1.3.6.1.5.5.7.48.1") fields.ocspServers.push(url);
    if (method === "1.3.6.1.5.5.7.48.2") fields.issuerUrls.push(url);
  }
  return true;
}

/** The nine uses, the first in the lowest bit. */
function usageOf(value: DerValue): number {
  const { bytes } = bitsOf(value);
  const bits = Array.from(
    { length: 9 },
    (_, bit) => ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1,
  );
  return bits.reduce((usage, bit, place) => usage | (bit << place), 0);
}

function revocationListsOf(point: DerValue): readonly string[] {
  const reader = readInside(point);
  if (reader.peek() !== 0xa0) return [];
  const urls: string[] = [];
  for (const name of allInside(readInside(reader.next()).next(0xa0))) {
    if (name.tag !== uriTag) break;
    urls.push(name.content.toString("utf8"));
  }
  return urls;
}

function sequence(value: Buffer): readonly DerValue[] {
  return allInside(readDer(value).next(derTag.sequence));
}

function firstIdentifier(value: DerValue): string {
  if (value.tag !== derTag.sequence) throw invalidExtension();
  return identifierOf(readInside(value).next(derTag.objectIdentifier));
}

function invalidExtension(): Error {
  return new Error("expected an extension of a certificate, found other values");
}
