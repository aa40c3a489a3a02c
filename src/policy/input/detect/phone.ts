/**
 * Telephone numbers: with a country code, in the North American form, or in any form behind a word
 * that says so. A bare run of digits is none: ids, amounts and times look the same.
 */
import type { Span } from "./detector.ts";
import { digitsOf, hasDigits, spansOf, wordsBefore } from "./detector.ts";

const candidate =
  /(?<![\p{L}\p{N}.:_/+-])(?:\+|00)?\(?\d(?:[ ()./-]{0,3}\d){6,14}(?![\p{L}\p{N}_:-]|\.\d)/gu;
const northAmerican = /^(?:\+?1[ .-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}$/;
const aWord =
  /\b(?:tel|telephone|phone|mobile|cell|fax|call|whatsapp|sms|telefon|mobil|handy|rufnummer|téléphone|telefono|teléfono|móvil)(?:[_\s-]?(?:number|no|nr|nummer))?\b[^\p{L}]{0,8}$/u;

const fewestDigits = 7;

/** Finds numbers of 7 to 15 digits. */
export function findPhones(text: string, name: string | undefined): readonly Span[] {
  if (!hasDigits(text, fewestDigits)) return [];
  return spansOf(text, candidate, (matched, start) => {
    if (/^\+[1-9]/.test(matched)) return digitsOf(matched).length >= 8;
    if (northAmerican.test(matched)) return true;
    if (isDate(matched)) return false;
    return aWord.test(wordsBefore(text, start, name?.replaceAll(/[_-]/g, " ")).trimEnd());
  });
}

/** `2026-11-22 10`, `22.11.2026`: what starts or ends like a day. */
function isDate(text: string): boolean {
  return /^(?:19|20)\d{2}[./-]\d{1,2}[./-]\d{1,2}\b|^\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d{2}\b/.test(
    text,
  );
}
