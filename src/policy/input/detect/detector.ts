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

/** Places that a pattern matches and that `isReal` confirms. The pattern has to be linear. */
export function spansOf(
  text: string,
  pattern: RegExp,
  isReal: (matched: string, start: number) => boolean = () => true,
): readonly Span[] {
  return [...text.matchAll(pattern)].flatMap((match) => {
    const [matched] = match;
    const { index } = match;
    return isReal(matched, index) ? [{ start: index, end: index + matched.length }] : [];
  });
}

/** The text right before a place, for words that say what it is. */
export function wordsBefore(text: string, start: number, name: string | undefined): string {
  return `${name ?? ""} ${text.slice(Math.max(0, start - 32), start)}`.toLowerCase();
}

/** The digits of a text. */
export function digitsOf(text: string): string {
  return text.replaceAll(/\D/g, "");
}
