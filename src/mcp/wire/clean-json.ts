/**
 * Hidden characters in the text of a JSON value, in its names as well as in its strings, whether they
 * stand there raw or as escapes. Everything else keeps its bytes: numbers, spacing, members that
 * stand twice. Works on the text and not on values, since a text with thousands of small strings must
 * not take longer than one with a large string; and it gives up where there is too much to change,
 * because all other calls wait meanwhile.
 */
import { showHidden } from "../../contract/hidden-characters.ts";
import { continuedStretch, hiddenBytes, longestLook, stretches } from "./hidden-in-json.ts";

export interface CleanedJson {
  /** The very same string where nothing was changed. */
  readonly text: string;
  /** Places that were changed. */
  readonly changed: number;
  /** False where there is too much to change: the text may then hold some still. */
  readonly isWhole: boolean;
}

/** What was looked at in one message, in however many parts. */
export interface CleaningEffort {
  readonly known: Map<string, string>;
  changed: number;
  different: number;
  characters: number;
}

/** Each of the three takes about a tenth of a second; other calls do not wait for longer. */
const maxChanged = 262_144;
const maxDifferent = 65_536;
/** In places that are looked at one by one, as they are written. */
const maxCharacters = 262_144;
const maxRemembered = 64;

/** Nothing looked at. */
export function newEffort(): CleaningEffort {
  return { known: new Map(), changed: 0, different: 0, characters: 0 };
}

/** False where nothing has to be done, without reading the bytes as text or JSON; mostly that is so. */
export function mayHoldHidden(bytes: Buffer): boolean {
  return hiddenBytes.test(bytes.toString("latin1"));
}

/** The JSON text without them; `text` has to be JSON. Parts of one message share their effort. */
export function cleanJson(
  text: string,
  rule: "escape" | "remove",
  effort: CleaningEffort = newEffort(),
): CleanedJson {
  const parts: string[] = [];
  const before = effort.changed;
  let [copied, at] = [0, 0];
  for (;;) {
    stretches.lastIndex = at;
    const found = stretches.exec(text);
    if (found === null) break;
    at = stretches.lastIndex;
    if (found.groups?.["hiding"] === undefined) continue;
    at = endOfStretch(text, at, at - found.index);
    const stretch = text.slice(found.index, at);
    const shown = shownStretch(stretch, rule, effort);
    if (shown === undefined) return { text, changed: effort.changed - before, isWhole: false };
    if (shown === stretch) continue;
    parts.push(text.slice(copied, found.index), shown);
    copied = at;
  }
  const changed = effort.changed - before;
  if (changed === 0) return { text, changed, isWhole: true };
  return { text: parts.join("") + text.slice(copied), changed, isWhole: true };
}

/** One look is bounded, because a pattern that repeats without end runs out of stack. */
function endOfStretch(text: string, end: number, length: number): number {
  if (length < longestLook) return end;
  let [at, whole] = [end, length];
  while (whole <= maxCharacters) {
    continuedStretch.lastIndex = at;
    if (!continuedStretch.test(text)) break;
    whole += continuedStretch.lastIndex - at;
    at = continuedStretch.lastIndex;
  }
  return at;
}

/** `undefined` where it is too much. */
function shownStretch(
  stretch: string,
  rule: "escape" | "remove",
  effort: CleaningEffort,
): string | undefined {
  const { known } = effort;
  let shown = known.get(stretch);
  if (shown === undefined) {
    effort.different += 1;
    effort.characters += stretch.length;
    if (effort.different > maxDifferent || effort.characters > maxCharacters) return undefined;
    shown = cleanStretch(stretch, rule);
    if (stretch.length <= maxRemembered) known.set(stretch, shown);
  }
  if (shown !== stretch) effort.changed += 1;
  return effort.changed > maxChanged ? undefined : shown;
}

/** The same stretch where nothing in it has to go. */
function cleanStretch(stretch: string, rule: "escape" | "remove"): string {
  const meant: unknown = JSON.parse(`"${stretch}"`);
  if (typeof meant !== "string") return stretch;
  const shown = showHidden(meant, rule);
  return shown === meant ? stretch : JSON.stringify(shown).slice(1, -1);
}
