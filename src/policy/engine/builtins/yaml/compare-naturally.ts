/**
 * The order in which Go's YAML library writes the members of a map: numbers within names by their
 * value, letters after everything else.
 */

const letter = /\p{L}/u;
const digit = /\p{Nd}/u;

/** Negative where the left name comes first. */
export function compareNaturally(left: string, right: string): number {
  const [ours, theirs] = [Array.from(left), Array.from(right)];
  const first = ours.findIndex((character, place) => character !== theirs[place]);
  const [a, b] = [ours[first], theirs[first]];
  if (a === undefined || b === undefined) return ours.length - theirs.length;
  const [isLetter, isOther] = [letter.test(a), letter.test(b)];
  if (isLetter && isOther) return codeOf(a) - codeOf(b);
  if (isLetter || isOther) {
    const afterDigit = first > 0 && digit.test(ours[first - 1] ?? "");
    return (afterDigit ? isLetter : isOther) ? -1 : 1;
  }
  const lead = leadingDigit(ours, first, a === "0" || b === "0");
  const [number, other] = [ours, theirs].map((name) => digitsFrom(name, first));
  if (number === undefined || other === undefined) return 0;
  const difference = BigInt(`${lead}${number}`) - BigInt(`${lead}${other}`);
  if (difference !== 0n) return difference < 0n ? -1 : 1;
  return number.length - other.length || codeOf(a) - codeOf(b);
}

/** `1` where zeros stand behind another digit, and so count. */
function leadingDigit(name: readonly string[], place: number, isZero: boolean): string {
  if (!isZero) return "0";
  for (let before = place - 1; digit.test(name[before] ?? ""); before -= 1) {
    if (name[before] !== "0") return "1";
  }
  return "0";
}

function digitsFrom(name: readonly string[], place: number): string {
  let end = place;
  while (/[0-9]/.test(name[end] ?? "")) end += 1;
  return name.slice(place, end).join("");
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}
