/**
 * What cosign before version 3 writes beside a signed document: signature, certificate and the entry
 * of a transparency log, each in an annotation. Put together as the sigstore bundle that it would be
 * today, so that one verifier judges both.
 */
import { createHash, X509Certificate } from "node:crypto";
import * as z from "zod";
import { parseJson } from "../parse-json.ts";

/** The signature, in base64. */
export const simpleSignatureAnnotation = "dev.cosignproject.cosign/signature";
/** The certificate, in PEM. */
const certificateAnnotation = "dev.sigstore.cosign/certificate";
/** The entry of Rekor with its promise, in JSON. */
const entryAnnotation = "dev.sigstore.cosign/bundle";

const entrySchema = z.object({
  SignedEntryTimestamp: z.base64(),
  Payload: z.object({
    body: z.base64(),
    integratedTime: z.int().nonnegative(),
    logIndex: z.int().nonnegative(),
    logID: z.hex(),
  }),
});
const bodySchema = z.object({ kind: z.string(), apiVersion: z.string() });

/** The bundle in JSON; `undefined` where an annotation is missing or broken. */
export function bundleOfAnnotations(
  payload: Buffer,
  annotations: Readonly<Record<string, string>>,
): object | undefined {
  const certificate = readCertificate(annotations[certificateAnnotation]);
  const entry = entrySchema.safeParse(parseJson(annotations[entryAnnotation]));
  if (certificate === undefined || !entry.success) return undefined;
  const { Payload: logged, SignedEntryTimestamp: signedEntryTimestamp } = entry.data;
  const text = Buffer.from(logged.body, "base64").toString("utf8");
  const body = bodySchema.safeParse(parseJson(text));
  if (!body.success) return undefined;
  return {
    mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.1",
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes: certificate.toString("base64") }] },
      tlogEntries: [
        {
          logIndex: String(logged.logIndex),
          logId: { keyId: Buffer.from(logged.logID, "hex").toString("base64") },
          kindVersion: { kind: body.data.kind, version: body.data.apiVersion },
          integratedTime: String(logged.integratedTime),
          inclusionPromise: { signedEntryTimestamp },
          canonicalizedBody: logged.body,
        },
      ],
    },
    messageSignature: {
      messageDigest: {
        algorithm: "SHA2_256",
        digest: createHash("sha256").update(payload).digest("base64"),
      },
      signature: annotations[simpleSignatureAnnotation] ?? "",
    },
  };
}

function readCertificate(pem: string | undefined): Buffer | undefined {
  try {
    return new X509Certificate(pem ?? "").raw;
  } catch {
    return undefined;
  }
}
