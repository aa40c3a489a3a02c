/**
 * The extensions of a certificate as Go's structure has them in JSON.
 */
import type { ExactJson } from "./exact-json.ts";
import { uriFields } from "./uri-fields.ts";
import type { Extension, ExtensionFields } from "./x509-extensions.ts";
import { ipText, rangeJson } from "./x509-general-names.ts";
import type { NameSubtrees, SubjectNames } from "./x509-general-names.ts";
import { listOrNull, numbersOf } from "./x509-name.ts";

/** Go's `x509.ExtKeyUsage` by object identifier. */
export const extendedKeyUsages: Readonly<Record<string, number>> = {
  "2.5.29.37.0": 0,
  "1.3.6.1.5.5.7.3.1": 1,
  "1.3.6.1.5.5.7.3.2": 2,
  "1.3.6.1.5.5.7.3.3": 3,
  "1.3.6.1.5.5.7.3.4": 4,
  "1.3.6.1.5.5.7.3.5": 5,
  "1.3.6.1.5.5.7.3.6": 6,
  "1.3.6.1.5.5.7.3.7": 7,
  "1.3.6.1.5.5.7.3.8": 8,
  "1.3.6.1.5.5.7.3.9": 9,
  "1.3.6.1.4.1.311.10.3.3": 10,
  "2.16.840.1.113730.4.1": 11,
  "1.3.6.1.4.1.311.2.1.22": 12,
  "1.3.6.1.4.1.311.61.1.1": 13,
};

/** `[{"Id": [2, 5, …], "Critical": …, "Value": …}]` */
export function extensionsJson(extensions: readonly Extension[]): ExactJson {
  return listOrNull(
    extensions.map(({ id, critical, value }) => ({
      Id: numbersOf(id),
      Critical: critical,
      Value: value.toString("base64"),
    })),
  );
}

/** Members of `x509.Certificate` that come from extensions. */
export function extensionFieldsJson(fields: ExtensionFields): Readonly<Record<string, ExactJson>> {
  const { permitted, excluded, critical } = fields.constraints;
  const { basicConstraints, requireExplicitPolicy, inhibitPolicyMapping, inhibitAnyPolicy } =
    fields;
  return {
    KeyUsage: fields.keyUsage,
    ...usagesJson(fields.extendedKeyUsage),
    BasicConstraintsValid: basicConstraints !== undefined,
    IsCA: basicConstraints?.isCa ?? false,
    MaxPathLen: basicConstraints?.maxPathLength ?? 0,
    MaxPathLenZero: basicConstraints?.maxPathLength === 0,
    SubjectKeyId: bytesOrNull(fields.subjectKeyId),
    AuthorityKeyId: bytesOrNull(fields.authorityKeyId),
    OCSPServer: listOrNull(fields.ocspServers),
    IssuingCertificateURL: listOrNull(fields.issuerUrls),
    ...subjectNamesJson(fields.names),
    PermittedDNSDomainsCritical: critical,
    ...subtreesJson("Permitted", permitted),
    ...subtreesJson("Excluded", excluded),
    CRLDistributionPoints: listOrNull(fields.revocationLists),
    Policies: listOrNull(fields.policies ?? []),
    PolicyIdentifiers: fields.policies?.map(numbersOf) ?? null,
    PolicyMappings: listOrNull(
      fields.policyMappings.map(({ issuer, subject }) => ({
        IssuerDomainPolicy: issuer,
        SubjectDomainPolicy: subject,
      })),
    ),
    ...countJson("RequireExplicitPolicy", requireExplicitPolicy),
    ...countJson("InhibitPolicyMapping", inhibitPolicyMapping),
    ...countJson("InhibitAnyPolicy", inhibitAnyPolicy),
    UnhandledCriticalExtensions: listOrNull(fields.unhandledCritical.map(numbersOf)),
  };
}

/** Members for the alternative names; requests have the same. */
export function subjectNamesJson(names: SubjectNames): Readonly<Record<string, ExactJson>> {
  return {
    DNSNames: listOrNull(names.dns),
    EmailAddresses: listOrNull(names.emails),
    IPAddresses: listOrNull(names.ips.map(ipText)),
    URIs: listOrNull(names.uris.map(uriFields)),
  };
}

function usagesJson(usages: readonly string[]): Readonly<Record<string, ExactJson>> {
  const known = usages.flatMap((usage) => extendedKeyUsages[usage] ?? []);
  const unknown = usages.filter((usage) => extendedKeyUsages[usage] === undefined);
  return {
    ExtKeyUsage: listOrNull(known),
    UnknownExtKeyUsage: listOrNull(unknown.map(numbersOf)),
  };
}

function subtreesJson(
  prefix: string,
  { dns, emails, ips, uris }: NameSubtrees,
): Readonly<Record<string, ExactJson>> {
  return {
    [`${prefix}DNSDomains`]: listOrNull(dns),
    [`${prefix}EmailAddresses`]: listOrNull(emails),
    [`${prefix}IPRanges`]: listOrNull(ips.map(rangeJson)),
    [`${prefix}URIDomains`]: listOrNull(uris),
  };
}

function countJson(name: string, count: number | undefined): Readonly<Record<string, ExactJson>> {
  return { [name]: count ?? 0, [`${name}Zero`]: count === 0 };
}

function bytesOrNull(bytes: Buffer | undefined): ExactJson {
  return bytes?.toString("base64") ?? null;
}
