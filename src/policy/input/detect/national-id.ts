/**
 * Numbers that a state gives a person. Where a number has check digits they have to be right; where
 * it is a plain run of digits that many other things look like, a word has to say what it is.
 */
import { isDay, isLuhn, isMod1110, isVerhoeff, weighted } from "./check-digits.ts";
import type { Span } from "./detector.ts";
import { digitsOf, hasDigits, spansOf, wordsBefore } from "./detector.ts";

interface NationalId {
  readonly pattern: RegExp;
  readonly isReal: (matched: string) => boolean;
  /** Needed in front of the form without separators. */
  readonly word?: RegExp;
}

const dniLetters = "TRWAGMYFPDXBNJZSQVHLCKE";

const nationalIds: readonly NationalId[] = [
  // United States: social security number
  {
    pattern: plain("\\d{3}([- ]?)\\d{2}\\1\\d{4}"),
    isReal: isSsn,
    word: /\bssn\b|social[ _-]?sec/,
  },
  // United Kingdom: National Insurance number
  {
    pattern: plain("[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d{2} ?\\d{2} ?\\d{2} ?[A-D]"),
    isReal: (matched) => !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/.test(matched),
  },
  // Germany: Identifikationsnummer
  {
    pattern: plain("[1-9]\\d ?\\d{3} ?\\d{3} ?\\d{3}"),
    isReal: isSteuerId,
    word: /steuer|identifikationsnummer|\bidnr\b|\btin\b|tax[ _-]?id/,
  },
  // France: numéro de sécurité sociale
  {
    pattern: plain(
      "[12] ?\\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\\d) ?(?:\\d{2}|2[AB]) ?\\d{3} ?\\d{3} ?\\d{2}",
    ),
    isReal: isNir,
  },
  // Netherlands: burgerservicenummer
  {
    pattern: plain("\\d{4}\\.?\\d{2}\\.?\\d{3}"),
    isReal: (matched) => weighted(digitsOf(matched), [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
    word: /\bbsn\b|burgerservice|sofi/,
  },
  // Spain: DNI and NIE
  { pattern: plain("[XYZ\\d]-?\\d{7}-?[A-HJ-NP-TV-Z]"), isReal: isDni },
  // Italy: codice fiscale
  {
    pattern: plain("[A-Z]{6}\\d{2}[ABCDEHLMPRST]\\d{2}[A-Z]\\d{3}[A-Z]"),
    isReal: isCodiceFiscale,
  },
  // Poland: PESEL
  { pattern: plain("\\d{11}"), isReal: isPesel, word: /pesel/ },
  // Sweden: personnummer
  {
    pattern: plain("(?:19|20)?\\d{6}[-+]\\d{4}"),
    isReal: (matched) =>
      isDay(digitsOf(matched).slice(-10, -4)) && isLuhn(digitsOf(matched).slice(-10)),
  },
  // Belgium: rijksregisternummer
  {
    pattern: plain("\\d{2}\\.\\d{2}\\.\\d{2}-\\d{3}\\.\\d{2}"),
    isReal: (matched) => isBelgian(digitsOf(matched)),
  },
  // Switzerland: AHV number
  {
    pattern: plain("756\\.\\d{4}\\.\\d{4}\\.\\d{2}"),
    isReal: (matched) =>
      weighted(digitsOf(matched), [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0,
  },
  // Brazil: CPF
  {
    pattern: plain("\\d{3}\\.\\d{3}\\.\\d{3}-\\d{2}"),
    isReal: (matched) => isCpf(digitsOf(matched)),
  },
  // India: Aadhaar
  {
    pattern: plain("[2-9]\\d{3}([ -]?)\\d{4}\\1\\d{4}"),
    isReal: (matched) => isVerhoeff(digitsOf(matched)),
    word: /aadha?ar|\buid\b/,
  },
  // Canada: social insurance number
  {
    pattern: plain("\\d{3}([- ]?)\\d{3}\\1\\d{3}"),
    isReal: (matched) => isLuhn(digitsOf(matched)),
    word: /\bsin\b|social[ _-]?ins|assurance sociale/,
  },
];

/** The fewest digits of any of them: the United Kingdom's. */
const fewestDigits = 6;

/** Finds numbers of people. */
export function findNationalIds(text: string, name: string | undefined): readonly Span[] {
  if (!hasDigits(text, fewestDigits)) return [];
  return nationalIds.flatMap(({ pattern, isReal, word }) =>
    spansOf(text, pattern, (matched, start) => {
      if (!isReal(matched)) return false;
      return (
        word === undefined || isDashedSsn(matched) || word.test(wordsBefore(text, start, name))
      );
    }),
  );
}

/** No pattern starts or ends inside a longer run of letters, digits or dots between digits. */
function plain(pattern: string): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}_.+-])${pattern}(?![\\p{L}\\p{N}_-]|\\.\\d)`, "gu");
}

/** The one form with separators that says enough by itself. */
function isDashedSsn(matched: string): boolean {
  return /^\d{3}-\d{2}-\d{4}$/.test(matched);
}

function isSsn(matched: string): boolean {
  const digits = digitsOf(matched);
  return !/^(?:000|666|9)|^...00|0000$/.test(digits);
}

function isSteuerId(matched: string): boolean {
  const digits = digitsOf(matched);
  const counts = new Map<string, number>();
  for (const digit of digits.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  return repeated.length === 1 && (repeated[0] ?? 0) <= 3 && isMod1110(digits);
}

function isNir(matched: string): boolean {
  const compact = matched.replaceAll(" ", "");
  const number = compact.slice(0, 13).replace("2A", "19").replace("2B", "18");
  return 97 - Number(BigInt(number) % 97n) === Number(compact.slice(13));
}

function isDni(matched: string): boolean {
  const compact = matched.replaceAll("-", "");
  const number = compact.slice(0, 8).replace(/^[XYZ]/, (letter) => String("XYZ".indexOf(letter)));
  return dniLetters[Number(number) % 23] === compact[8];
}

const oddValues = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];

function isCodiceFiscale(matched: string): boolean {
  let sum = 0;
  for (let index = 0; index < 15; index += 1) {
    const character = matched[index] ?? "";
    const value = /\d/.test(character) ? Number(character) : character.charCodeAt(0) - 65;
    sum += index % 2 === 0 ? (oddValues[value] ?? 0) : value;
  }
  return String.fromCharCode(65 + (sum % 26)) === matched[15];
}

function isPesel(matched: string): boolean {
  const month = Number(matched.slice(2, 4)) % 20;
  const day = `${matched.slice(0, 2)}${String(month).padStart(2, "0")}${matched.slice(4, 6)}`;
  return isDay(day) && weighted(matched, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;
}

function isBelgian(digits: string): boolean {
  const check = Number(digits.slice(9));
  return ["", "2"].some(
    (century) => 97 - (Number(`${century}${digits.slice(0, 9)}`) % 97) === check,
  );
}

function isCpf(digits: string): boolean {
  if (new Set(digits).size === 1) return false;
  return [9, 10].every((length) => {
    const weights = Array.from({ length }, (_, index) => length + 1 - index);
    return ((weighted(digits, weights) * 10) % 11) % 10 === Number(digits[length]);
  });
}
