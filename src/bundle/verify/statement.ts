/**
 * What cosign 3 signs: an in-toto statement that names a manifest digest, in a DSSE envelope
 * (secure-systems-lab/dsse, "Signature Definition"). Every type is compared exactly: a signature
 * for another purpose, by the same key, is not one for this.
 */
import * as z from "zod";
import type { Digest } from "../../contract/bundle.ts";
import { splitDigest } from "../digest.ts";
import { parseJson } from "../parse-json.ts";

export const envelopePayloadType = "application/vnd.in-toto+json";

const statementType = "https://in-toto.io/Statement/v1";
const signaturePredicate = "https://sigstore.dev/cosign/sign/v1";
const statementSchema = z.object({
  _type: z.string(),
  predicateType: z.string(),
  subject: z.array(z.object({ digest: z.record(z.string(), z.string()) })).max(1000),
});

/** Why a signed payload does not vouch for a manifest; `undefined` where it does. */
export function statementProblem(
  payloadType: string,
  payload: Uint8Array,
  subject: Digest,
): string | undefined {
  if (payloadType !== envelopePayloadType) return "its envelope holds no in-toto statement";
  const parsed = statementSchema.safeParse(parseJson(payload));
  if (!parsed.success) return "its statement has another shape";
  const { _type: type, predicateType, subject: subjects } = parsed.data;
  if (type !== statementType) return "its statement is of another version";
  if (predicateType !== signaturePredicate) return "its statement is no signature of an artifact";
  const { algorithm, hex } = splitDigest(subject);
  if (subjects.some(({ digest }) => digest[algorithm] === hex)) return undefined;
  return "the signature is for another manifest";
}

/** The statement for a manifest, byte for byte the same each time. */
export function signatureStatement(subject: Digest): Buffer {
  const { algorithm, hex } = splitDigest(subject);
  const statement = {
    _type: statementType,
    subject: [{ digest: { [algorithm]: hex } }],
    predicateType: signaturePredicate,
    predicate: {},
  };
  return Buffer.from(JSON.stringify(statement));
}

/** What is signed of an envelope: type and payload, each with its length. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType);
  const head = `DSSEv1 ${type.length} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}
