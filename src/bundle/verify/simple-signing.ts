/**
 * The signature of cosign before version 3: a small JSON document that names a manifest digest,
 * signed as it is, with the signature in an annotation ("simple signing"). The repository that it
 * also names is bound to nothing and is not looked at, as cosign does.
 */
import * as z from "zod";
import type { Digest } from "../../contract/bundle.ts";
import { parseJson } from "../parse-json.ts";
import { decodeBase64 } from "./base64.ts";
import { fingerprintOf, isSignedBy } from "./public-key.ts";
import type { Judgement, KeySigner } from "./trust.ts";
import { refused } from "./trust.ts";

/** Media type of the document. */
export const simpleSigningType = "application/vnd.dev.cosign.simplesigning.v1+json";

const payloadType = "cosign container image signature";
const payloadSchema = z.object({
  critical: z.object({
    type: z.string(),
    image: z.object({ "docker-manifest-digest": z.string() }),
  }),
});

/** What a signed document says to one signer about a manifest. */
export function judgeSimpleSigning(
  payload: Buffer,
  signatureText: string | undefined,
  subject: Digest,
  signer: KeySigner,
): Judgement {
  const signature = decodeBase64(signatureText ?? "");
  if (signature === undefined || signature.length === 0) {
    return refused("no_trusted_signature", "its signature annotation is missing or no base64");
  }
  if (!isSignedBy(signer.key, payload, signature)) {
    return refused("no_trusted_signature", "the signature is not by this key");
  }
  const problem = documentProblem(payload, subject);
  if (problem !== undefined) return refused("subject_mismatch", problem);
  const { name, key } = signer;
  return { ok: true, signer: { type: "cosign-key", name, fingerprint: fingerprintOf(key) } };
}

/** Why a signed document does not vouch for a manifest; `undefined` where it does. */
export function documentProblem(payload: Buffer, subject: Digest): string | undefined {
  const content = payloadSchema.safeParse(parseJson(payload));
  if (!content.success || content.data.critical.type !== payloadType) {
    return "what is signed is no cosign container image signature";
  }
  const named = content.data.critical.image["docker-manifest-digest"];
  return named === subject ? undefined : "the signature is for another manifest";
}

/** The document for a manifest, as cosign writes it. */
export function simpleSigningPayload(subject: Digest, repository: string): Buffer {
  const critical = {
    identity: { "docker-reference": repository },
    image: { "docker-manifest-digest": subject },
    type: payloadType,
  };
  return Buffer.from(JSON.stringify({ critical, optional: null }));
}
