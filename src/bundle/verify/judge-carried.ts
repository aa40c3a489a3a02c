/**
 * The signature that a bundle carries itself, as OPA writes it: what it says to those signers who
 * sign that way. Whatever breaks while it is judged is a signature that does not count.
 */
import { judgeOpaSignature, signaturesFile } from "./opa-signature.ts";
import type { OpaSigner, Tried, VerifiedSigner } from "./trust.ts";

/** Who signed the files, and what did not count before. */
export interface Carried {
  /** `undefined` where nobody who is trusted did. */
  readonly signer: VerifiedSigner | undefined;
  readonly tried: readonly Tried[];
}

/**
 * Judges the signature among the files of a bundle.
 *
 * @param files - content by path without leading `/`
 */
export function judgeCarried(
  files: ReadonlyMap<string, Buffer>,
  signers: readonly OpaSigner[],
): Carried {
  const tried: Tried[] = [];
  if (!files.has(signaturesFile)) return { signer: undefined, tried };
  for (const signer of signers) {
    const kind = `${signaturesFile} as ${signer.name}`;
    try {
      const judgement = judgeOpaSignature(files, signer);
      if (judgement.ok) return { signer: judgement.signer, tried };
      tried.push({ kind, code: judgement.code, reason: judgement.reason });
    } catch (thrown) {
      const what = thrown instanceof Error ? thrown.name : "something unknown";
      tried.push({ kind, code: "no_trusted_signature", reason: `it cannot be judged (${what})` });
    }
  }
  return { signer: undefined, tried };
}
