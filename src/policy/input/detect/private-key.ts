/** Private keys as PEM, OpenPGP and PuTTY write them, from the first line to the last. */
import { privateKeyBegin, privateKeyEnd } from "../../../contract/private-key-marks.ts";
import type { Span } from "./detector.ts";
import { matchesOf } from "./detector.ts";

const begin = new RegExp(privateKeyBegin, "g");
const end = new RegExp(privateKeyEnd, "g");

/** A key whose end is missing goes to the end of the text. */
export function findPrivateKeys(text: string): readonly Span[] {
  const begins = matchesOf(text, begin);
  if (begins.length === 0) return [];
  const ends = matchesOf(text, end).map((match) => match.index + match[0].length);
  const found: Span[] = [];
  let next = 0;
  for (const { index: start } of begins) {
    if (start < (found.at(-1)?.end ?? 0)) continue;
    while (next < ends.length && (ends[next] ?? 0) <= start) next += 1;
    found.push({ start, end: ends[next] ?? text.length });
  }
  return found;
}
