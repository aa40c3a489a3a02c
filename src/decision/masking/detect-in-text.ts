/**
 * What detectors find in one text of a record, and what stands in its place. A text that hides it
 * another way (JSON, base64, percent signs in it) is replaced whole, since no place in it can be named.
 */
import type { DetectorKind } from "../../contract/detector-kind.ts";

/** A place in a text, in UTF-16 units; `end` is behind it. */
interface Place {
  readonly start: number;
  readonly end: number;
}

/** The detectors, as this stage is given them. */
export interface Detectors {
  /** In the order of the text; places may overlap. `name`: of the member that holds the text. */
  readonly find: (text: string, kinds: readonly DetectorKind[], name?: string) => readonly Place[];
  /** Opens what is written in one more way; `isComplete` is false beyond so many characters. */
  readonly kindsIn: (
    value: unknown,
    kinds: readonly DetectorKind[],
    maxCharacters: number,
  ) => { readonly kinds: ReadonlySet<DetectorKind>; readonly isComplete: boolean };
}

export interface TextSearch {
  readonly detectors: Detectors;
  readonly kinds: readonly DetectorKind[];
  /** What stands for a text. */
  readonly token: (text: string) => string;
}

/** Shorter than anything that the detectors know. */
const leastCharacters = 6;
const maxCharacters = 131_072;
/** What detectors open: JSON, percent signs, runs of base64. */
const opened = /^\s{0,16}[[{]|%[0-9A-Fa-f]{2}|[A-Za-z0-9+/_-]{24}/;

/** The text with what was found replaced; `undefined` where nothing was. */
export function maskFound(
  { detectors, kinds, token }: TextSearch,
  text: string,
  name: string | undefined,
): string | undefined {
  if (kinds.length === 0 || text.length < leastCharacters) return undefined;
  if (text.length > maxCharacters) return token(text);
  const places = joined(foundIn({ detectors, kinds }, text, name));
  if (opened.test(text)) {
    const rest = replaced(text, places, () => " ");
    const found = detectors.kindsIn(rest, kinds, maxCharacters);
    if (found.kinds.size > 0 || !found.isComplete) return token(text);
  }
  return places.length === 0 ? undefined : replaced(text, places, token);
}

/** A key may stand behind a server's name, as in `crm__KEY`, where detectors see one long word. */
function foundIn(
  { detectors, kinds }: Pick<TextSearch, "detectors" | "kinds">,
  text: string,
  name: string | undefined,
): readonly Place[] {
  const places = detectors.find(text, kinds, name);
  if (!text.includes("__")) return places;
  return [...places, ...detectors.find(text.replaceAll("__", "  "), kinds, name)];
}

/** In the order of the text; what overlaps is one place. */
function joined(places: readonly Place[]): readonly Place[] {
  if (places.length === 0) return places;
  const found: Place[] = [];
  for (const { start, end } of places.toSorted((a, b) => a.start - b.start)) {
    const last = found.at(-1);
    if (last === undefined || start >= last.end) found.push({ start, end });
    else if (end > last.end) found.splice(-1, 1, { start: last.start, end });
  }
  return found;
}

function replaced(text: string, places: readonly Place[], put: (part: string) => string): string {
  let written = "";
  let at = 0;
  for (const { start, end } of places) {
    written += text.slice(at, start) + put(text.slice(start, end));
    at = end;
  }
  return written + text.slice(at);
}
