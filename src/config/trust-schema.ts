/**
 * The shape of what is said about signatures: who may sign, once under a name, and what each source
 * needs. What depends on more than one key is in `trust-rules.ts`.
 */
import * as z from "zod/mini";
import { opaAlgorithms } from "./config.ts";

const text = z.string().check(z.minLength(1));
const publicKey = text.check(z.describe("Public key in PEM, or a file with it"));

/** One signer; a name for it is the key under `trust`. */
export const signerSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("cosign-key"), key: publicKey }),
  z.strictObject({
    type: z.literal("sigstore"),
    identity: z
      .optional(text)
      .check(z.describe("Exact address or workflow URI in the certificate")),
    identity_regex: z
      .optional(text)
      .check(z.describe("Instead of identity; has to match as a whole (RE2)")),
    issuer: text.check(z.describe("Exact issuer of the identity, a URL")),
    trusted_root: z
      .optional(text)
      .check(z.describe("trusted_root.json of another instance than the public one")),
  }),
  z.strictObject({
    type: z.literal("opa"),
    keyid: text.check(z.describe("Name of the key, for reports")),
    key: text.check(
      z.describe("Public key in PEM, or a file with it; of HS algorithms the secret"),
    ),
    algorithm: z._default(z.enum(opaAlgorithms), "RS256"),
    scope: z.optional(text).check(z.describe("Scope that the signature must have")),
  }),
]);

/** What has to vouch for the bundle of one source. */
export const sourceTrustShape = {
  require: z
    .optional(z.enum(["signature", "digest", "none"]))
    .check(
      z.describe(
        "Default of what is remote: signature where trust names anybody, else digest (pinned or locked)",
      ),
    ),
  signers: z
    .optional(z.array(z.union([text, signerSchema])))
    .check(z.describe("Names of trust, or signers in place; default everybody in trust")),
  opaque: z
    .optional(z.enum(["refuse", "accept"]))
    .check(z.describe("accept: a bundle without the sources of its policy; trial only")),
};

export type SignerEntry = z.output<typeof signerSchema>;
