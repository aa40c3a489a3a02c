/** Kinds of data that the gateway recognises without being told; what each means is up to the operator. */
export const detectorKinds = [
  "email",
  "phone",
  "payment_card",
  "national_id",
  "credential",
  "private_key",
] as const;
export type DetectorKind = (typeof detectorKinds)[number];
