/**
 * Sigstore bundles (`application/vnd.dev.sigstore.bundle`) as cosign 3 attaches them: read as far
 * as a signature by a key needs it, and written for one. The key alone is what is trusted then;
 * entries of a transparency log may be there and prove nothing more. Certificates are `keyless.ts`.
 */
import type { KeyObject } from "node:crypto";
import * as z from "zod";
import type { Digest } from "../../contract/bundle.ts";
import { mediaTypes } from "../oci-document.ts";
import { decodeBase64 } from "./base64.ts";
import { fingerprintOf, isSignedBy, keyHintOf } from "./public-key.ts";
import { envelopePayloadType, preAuthEncoding, statementProblem } from "./statement.ts";
import type { Judgement, KeySigner } from "./trust.ts";
import { refused } from "./trust.ts";

const bundleSchema = z.object({
  mediaType: z.literal([
    mediaTypes.sigstoreBundle,
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
  ]),
  dsseEnvelope: z.object({
    payloadType: z.string(),
    payload: z.string(),
    signatures: z.array(z.object({ sig: z.string() })).length(1),
  }),
});

/** What a bundle says to the holder of a key about a manifest. */
export function judgeKeyBundle(json: unknown, subject: Digest, signer: KeySigner): Judgement {
  const parsed = bundleSchema.safeParse(json);
  if (!parsed.success) {
    return refused("no_trusted_signature", "it is no sigstore bundle with one DSSE signature");
  }
  const { payloadType, payload: text, signatures } = parsed.data.dsseEnvelope;
  const payload = decodeBase64(text);
  const signature = decodeBase64(signatures[0]?.sig ?? "");
  if (payload === undefined || signature === undefined) {
    return refused("no_trusted_signature", "its envelope is no base64");
  }
  if (!isSignedBy(signer.key, preAuthEncoding(payloadType, payload), signature)) {
    return refused("no_trusted_signature", "the signature is not by this key");
  }
  const problem = statementProblem(payloadType, payload, subject);
  if (problem !== undefined) return refused("subject_mismatch", problem);
  const { name, key } = signer;
  return { ok: true, signer: { type: "cosign-key", name, fingerprint: fingerprintOf(key) } };
}

/** The bundle around a signed statement. */
export function keyBundle(payload: Buffer, signature: Buffer, publicKey: KeyObject): Buffer {
  const bundle = {
    mediaType: mediaTypes.sigstoreBundle,
    verificationMaterial: { publicKey: { hint: keyHintOf(publicKey) } },
    dsseEnvelope: {
      payload: payload.toString("base64"),
      payloadType: envelopePayloadType,
      signatures: [{ sig: signature.toString("base64") }],
    },
  };
  return Buffer.from(JSON.stringify(bundle));
}
