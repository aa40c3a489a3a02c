/**
 * What a detector is: it finds places in a text that look like one kind of sensitive data. Every
 * detector takes time linear in the text, whatever the text is: texts come from those who attack.
 */

export type { DetectorKind } from "../../../contract/detector-kind.ts";
export { detectorKinds } from "../../../contract/detector-kind.ts";

/** A place in a text, in UTF-16 units; `end` is behind it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** `name`: of the member that holds the text, where there is one. */
export type Detector = (text: string, name: string | undefined) => readonly Span[];

/**
 * Places that a pattern matches and that `isReal` confirms. The pattern has to be linear and `g`.
 * `matchAll` would compile a copy of it for every text.
 */
export function spansOf(
  text: string,
  pattern: RegExp,
  isReal: (matched: string, start: number) => boolean = () => true,
): readonly Span[] {
  const found: Span[] = [];
  for (const { 0: matched, index } of matchesOf(text, pattern)) {
    if (isReal(matched, index)) found.push({ start: index, end: index + matched.length });
  }
  return found;
}

/** All matches of a pattern that is `g` and never matches an empty text. */
export function matchesOf(text: string, pattern: RegExp): readonly RegExpExecArray[] {
  pattern.lastIndex = 0;
  let match = pattern.exec(text);
  if (match === null) return none;
  const found: RegExpExecArray[] = [];
  for (; match !== null; match = pattern.exec(text)) found.push(match);
  return found;
}

const none: readonly never[] = [];

/** True where so many digits are in the text: what needs them is not looked for without. */
export function hasDigits(text: string, least: number): boolean {
  let missing = least;
  for (let index = 0; index < text.length && missing > 0; index += 1) {
    const code = text.charCodeAt(index);
    if (code >= 0x30 && code <= 0x39) missing -= 1;
  }
  return missing <= 0;
}

/** The text right before a place, for words that say what it is. */
export function wordsBefore(text: string, start: number, name: string | undefined): string {
  return `${name ?? ""} ${text.slice(Math.max(0, start - 32), start)}`.toLowerCase();
}

/** The digits of a text. */
export function digitsOf(text: string): string {
  return text.replaceAll(/\D/g, "");
}
