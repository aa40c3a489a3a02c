/**
 * Which certificates a server that is reached over TLS may show: those of the authorities that Node
 * trusts, or of the one that the operator named; and what to do where it shows another.
 */
import { X509Certificate } from "node:crypto";
import { codeOf } from "../../errors.ts";
import { readTrustedFile } from "../../config/read-trusted-file.ts";

export type AuthorityReading =
  /** PEM; `undefined`: the ones that Node trusts. */
  | { readonly ok: true; readonly ca: string | undefined }
  | { readonly ok: false; readonly reason: string };

const maxFileBytes = 1024 * 1024;

/** Reads a `ca_file`; whoever can write it decides whom a secret is sent to. */
export function readAuthority(caFile: string | undefined): AuthorityReading {
  if (caFile === undefined) return { ok: true, ca: undefined };
  const checkModes = process.platform !== "win32";
  const read = readTrustedFile(caFile, { maxBytes: maxFileBytes, checkModes });
  if (!read.ok) return { ok: false, reason: `ca_file: ${read.message}` };
  if (isCertificate(read.text)) return { ok: true, ca: read.text };
  return { ok: false, reason: `ca_file: expected a certificate in PEM in ${caFile}` };
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}

const unknownAuthority: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_SIGNATURE_FAILURE",
]);

/** What is wrong with a certificate and what to do; `undefined` for any other failure. */
export function describeTlsFailure(thrown: unknown): string | undefined {
  const code = codeOf(thrown) ?? "";
  if (unknownAuthority.has(code)) {
    return `its certificate is of no authority that is trusted here (${code}); name a private one in ca_file`;
  }
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return "its certificate is for another host name; use one that the certificate names";
    case "CERT_HAS_EXPIRED":
      return "its certificate has expired; it has to be renewed there";
    case "CERT_NOT_YET_VALID":
      return "its certificate is not valid yet; compare the clocks of both machines";
    default:
      return undefined;
  }
}
