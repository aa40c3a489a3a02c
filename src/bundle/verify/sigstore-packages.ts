/**
 * What is used of sigstore's packages, in one place that is loaded when the first certificate is
 * judged. They are CommonJS: imported lazily by themselves, their names get lost when bundled.
 */
export { bundleFromJSON } from "@sigstore/bundle";
export { TrustedRoot } from "@sigstore/protobuf-specs";
export { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
