/**
 * All detectors over one text. What they find is a floor: a policy can add to it, and nothing can be
 * proved absent by not being found.
 */
import type { ReadText } from "../../../contract/hidden-characters.ts";
import { readText } from "../../../contract/hidden-characters.ts";
import { findCredentials } from "./credential.ts";
import type { Detector, DetectorKind, Span } from "./detector.ts";
import { findEmails } from "./email.ts";
import { findNationalIds } from "./national-id.ts";
import { findPaymentCards } from "./payment-card.ts";
import { findPhones } from "./phone.ts";
import { findPrivateKeys } from "./private-key.ts";

/** One place of one kind. */
export interface Sensitive extends Span {
  readonly kind: DetectorKind;
}

const detectors: Readonly<Record<DetectorKind, Detector>> = {
  email: findEmails,
  phone: findPhones,
  payment_card: findPaymentCards,
  national_id: findNationalIds,
  credential: findCredentials,
  private_key: findPrivateKeys,
};

/** Finds data of these kinds, in the order of the text; places of different kinds may overlap. */
export function findSensitive(
  text: string,
  kinds: readonly DetectorKind[],
  name?: string,
): readonly Sensitive[] {
  const read = readText(text);
  const found: Sensitive[] = [];
  for (const kind of kinds) {
    for (const { start, end } of detectors[kind](read?.text ?? text, name))
      found.push({ kind, start, end });
  }
  if (found.length < 2 && read === undefined) return found;
  const places = read === undefined ? found : found.map((place) => inWritten(read, place));
  return places.toSorted((a, b) => a.start - b.start || b.end - a.end);
}

function inWritten({ offsetOf }: ReadText, { kind, start, end }: Sensitive): Sensitive {
  return { kind, start: offsetOf(start), end: offsetOf(end - 1) + 1 };
}
