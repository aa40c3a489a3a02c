/**
 * A definition as clients are shown it: hidden characters in the words for people and models are
 * taken away, and nothing else is touched, because names, enumerations, defaults and patterns are
 * what arguments are sent and checked by. A definition that has one there is not shown at all. The
 * definition that is pinned and by which arguments are checked stays the server's own.
 */
import type { TextRules } from "../../config/texts-schema.ts";
import { isRecord } from "../../contract/json.ts";
import { hasHidden, showHidden } from "../../contract/hidden-characters.ts";
import { cleanJson } from "../wire/clean-json.ts";
import { dataKeywords, mapKeywords } from "./legacy-schema.ts";
import type { Definition } from "./read-item.ts";

export type CleanedDefinition =
  | { readonly ok: true; readonly definition: Definition }
  /** `reason`: for the operator's log. */
  | { readonly ok: false; readonly reason: string };

interface Cleaning {
  readonly rule: "escape" | "remove";
  readonly words: ReadonlySet<string>;
  /** Where one stands that cannot be taken away. */
  problem: string | undefined;
}

/** Members whose strings are read and never matched. */
const usualWords: ReadonlySet<string> = new Set([
  "title",
  "description",
  "$comment",
  "examples",
  "enumNames",
]);

/** `words`: further members of this definition that are there to be read. */
export function cleanDefinition(
  definition: Definition,
  { hiddenCharacters: rule, maxBytes }: TextRules,
  words: readonly string[] = [],
): CleanedDefinition {
  const text = JSON.stringify(definition);
  if (maxBytes !== undefined && Buffer.byteLength(text) > maxBytes) {
    return { ok: false, reason: `its definition is larger than ${maxBytes} bytes` };
  }
  if (rule === "keep") return { ok: true, definition };
  const { changed, isWhole } = cleanJson(text, "remove");
  if (changed === 0 && isWhole) return { ok: true, definition };
  if (rule === "refuse" || !isWhole) return { ok: false, reason: "it holds hidden characters" };
  const cleaning: Cleaning = {
    rule,
    words: new Set([...usualWords, ...words]),
    problem: undefined,
  };
  const cleaned = clean(cleaning, definition, undefined);
  const { problem } = cleaning;
  if (problem !== undefined || !isRecord(cleaned)) {
    return { ok: false, reason: `its ${problem} holds hidden characters` };
  }
  return { ok: true, definition: cleaned };
}

/** `key` is the member that holds the value, `undefined` where its members are of no keyword. */
function clean(cleaning: Cleaning, value: unknown, key: string | undefined): unknown {
  if (typeof value === "string") return cleanText(cleaning, value, key);
  if (Array.isArray(value)) return value.map((item) => clean(cleaning, item, key));
  if (!isRecord(value)) return value;
  const isMap = key !== undefined && mapKeywords.has(key);
  const isFixed = key !== undefined && dataKeywords.has(key) && !cleaning.words.has(key);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (hasHidden(name)) cleaning.problem ??= placeOf(key);
      if (isFixed || key === "examples") return [name, clean(cleaning, member, key)];
      return [name, clean(cleaning, member, isMap ? undefined : name)];
    }),
  );
}

function cleanText(cleaning: Cleaning, text: string, key: string | undefined): string {
  if (!hasHidden(text)) return text;
  if (key !== undefined && cleaning.words.has(key)) return showHidden(text, cleaning.rule);
  cleaning.problem ??= placeOf(key);
  return text;
}

/** The server's own names are not for the log. */
function placeOf(key: string | undefined): string {
  const isKnown = key !== undefined && /^[A-Za-z$_]{1,32}$/.test(key);
  return isKnown ? key : "definition";
}
