/** Numbers of payment cards: a known issuer's range, its length, and Luhn's check digit. */
import { isLuhn } from "./check-digits.ts";
import type { Span } from "./detector.ts";
import { digitsOf, hasDigits, spansOf } from "./detector.ts";

const candidate = /(?<![\p{L}\p{N}_.-])\d(?:[ -]?\d){12,18}(?![\p{L}\p{N}_]|[.-]\d)/gu;

/** Ranges as issuers publish them. */
const issuers: readonly RegExp[] = [
  /^4(?:\d{12}|\d{15}|\d{18})$/, // Visa
  /^(?:5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d{2}|7[01]\d|720)\d{12})$/, // Mastercard
  /^3[47]\d{13}$/, // American Express
  /^(?:6011|65\d{2}|64[4-9]\d)\d{12,15}$/, // Discover
  /^3(?:0[0-5]|[689]\d)\d{11,16}$/, // Diners Club
  /^35(?:2[89]|[3-8]\d)\d{12,15}$/, // JCB
  /^62\d{14,17}$/, // UnionPay
  /^(?:5[0678]|63|67)\d{11,17}$/, // Maestro
];

const fewestDigits = 13;

/** Finds cards written in one piece or in groups. */
export function findPaymentCards(text: string): readonly Span[] {
  if (!hasDigits(text, fewestDigits)) return [];
  return spansOf(text, candidate, (matched) => {
    const digits = digitsOf(matched);
    return issuers.some((issuer) => issuer.test(digits)) && isLuhn(digits) && isGrouped(matched);
  });
}

/** Groups are of four and more, and separated alike. */
function isGrouped(text: string): boolean {
  const groups = text.split(/[ -]/);
  const isMixed = text.includes(" ") && text.includes("-");
  return (
    groups.length === 1 ||
    (!isMixed && groups.every(({ length }) => length >= 3) && groups.length <= 5)
  );
}
