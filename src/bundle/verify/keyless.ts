/**
 * Signatures without a lasting key: a certificate of minutes names who signed, a transparency log
 * and a timestamp say that it was used while it was valid. `@sigstore/verify` checks all of that
 * offline against a trust root; who may sign, and for what, is compared here, since that package
 * searches an identity as a pattern and does not look at what was signed.
 */
import type { Bundle } from "@sigstore/bundle";
import type { TrustMaterial, Verifier } from "@sigstore/verify";
import type { Digest } from "../../contract/bundle.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { bundleOfAnnotations } from "./signature-annotations.ts";
import { documentProblem } from "./simple-signing.ts";
import { statementProblem } from "./statement.ts";
import type { Judgement, KeylessSigner, VerifiedSigner } from "./trust.ts";
import { refused } from "./trust.ts";

/**
 * Decides over the identity of a certificate: an address, or the URI of a workflow. Opened when first
 * needed: hardly anybody has a pattern, and a gateway's start does not pay for them.
 */
export type IdentityMatch = () => Promise<(identity: string) => boolean>;

/** The authorities and logs that are believed; read when first needed, then kept. */
export type TrustRoot = () => Promise<TrustMaterial>;

/** One certificate transparency log, one transparency log, one trusted time. */
const thresholds = { ctlogThreshold: 1, tlogThreshold: 1, timestampThreshold: 1 };
const maxShown = 200;

/** What a sigstore bundle says to one identity about a manifest. */
export async function judgeKeyless(
  json: unknown,
  subject: Digest,
  signer: KeylessSigner,
): Promise<Judgement> {
  const found = await verifyOffline(json, undefined, signer);
  if ("judgement" in found) return found.judgement;
  const { content } = found;
  if (content.$case !== "dsseEnvelope") {
    return refused("no_trusted_signature", "it holds no DSSE envelope");
  }
  const { payloadType, payload } = content.dsseEnvelope;
  const problem = statementProblem(payloadType, payload, subject);
  if (problem !== undefined) return refused("subject_mismatch", problem);
  return { ok: true, signer: found.signer };
}

/** What a document on cosign's tag, signed with a certificate, says to one identity. */
export async function judgeKeylessDocument(
  payload: Buffer,
  annotations: Readonly<Record<string, string>>,
  subject: Digest,
  signer: KeylessSigner,
): Promise<Judgement> {
  const json = bundleOfAnnotations(payload, annotations);
  if (json === undefined) {
    return refused("no_trusted_signature", "it has no certificate, or no entry of a log");
  }
  const found = await verifyOffline(json, payload, signer);
  if ("judgement" in found) return found.judgement;
  const problem = documentProblem(payload, subject);
  if (problem !== undefined) return refused("subject_mismatch", problem);
  return { ok: true, signer: found.signer };
}

type Offline =
  | { readonly judgement: Judgement }
  | { readonly signer: VerifiedSigner; readonly content: Bundle["content"] };

/** What was signed and who signed come from the very objects that were verified, parsed once. */
async function verifyOffline(
  json: unknown,
  payload: Buffer | undefined,
  signer: KeylessSigner,
): Promise<Offline> {
  const root = await signer.root();
  const isWanted = await signer.identity();
  const { bundleFromJSON, toSignedEntity, Verifier } = await import("./sigstore-packages.ts");
  try {
    const bundle = bundleFromJSON(json);
    const verifier = new Verifier(root, thresholds);
    const { identity = {} } = verifier.verify(toSignedEntity(bundle, payload));
    const judgement = judgeIdentity(identity, signer, isWanted);
    return judgement.ok ? { signer: judgement.signer, content: bundle.content } : { judgement };
  } catch (thrown) {
    return { judgement: judgementOf(thrown) };
  }
}

function judgeIdentity(
  found: NonNullable<ReturnType<Verifier["verify"]>["identity"]>,
  { name, issuer: wantedIssuer }: KeylessSigner,
  isWanted: (identity: string) => boolean,
): Judgement {
  const { subjectAlternativeName: identity, extensions } = found;
  const issuer = extensions?.issuer;
  if (identity === undefined || issuer === undefined) {
    return refused("identity_mismatch", "its certificate names no identity or no issuer");
  }
  if (issuer !== wantedIssuer) {
    return refused("identity_mismatch", `it was issued by ${shown(issuer)}`);
  }
  if (!isWanted(identity)) {
    return refused("identity_mismatch", `it was signed by ${shown(identity)}`);
  }
  return { ok: true, signer: { type: "sigstore", name, identity, issuer } };
}

/** Whatever the package throws over bytes from a registry is a signature that does not count. */
function judgementOf(thrown: unknown): Judgement {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  const reason = messageOf(cause ?? thrown).slice(0, maxShown);
  if (codeOf(thrown) !== "CERTIFICATE_ERROR") return refused("no_trusted_signature", reason);
  const isExpired = reason.includes("expired");
  return refused(isExpired ? "expired" : "untrusted_root", reason);
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, maxShown));
}
