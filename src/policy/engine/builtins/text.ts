/**
 * `indexof_n`, `strings.count`, `strings.split_n` and `glob.quote_meta`. Positions and parts are
 * counted in characters.
 */
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import { int64Of, ofTexts, textOf } from "./operands.ts";
import { writeArray, writeEach, writeText } from "./values.ts";

const indexOfN = ofTexts((base: string, search: string) => {
  return search === "" ? undefined : writeArray(placesOf(base, search));
});

function* placesOf(base: string, search: string): Generator<string> {
  let characters = 0;
  let counted = 0;
  for (let at = base.indexOf(search); at >= 0; at = base.indexOf(search, at + 1)) {
    characters += countCharacters(base.slice(counted, at));
    counted = at;
    yield String(characters);
  }
}

const count = ofTexts((base: string, search: string) => {
  if (search === "") return String(countCharacters(base) + 1);
  let found = 0;
  for (let at = base.indexOf(search); at >= 0; at = base.indexOf(search, at + search.length)) {
    found += 1;
  }
  return String(found);
});

/** The first `n` parts; with a negative `n` the last ones. */
const splitN: Builtin = ([text, delimiter, limit]) => {
  const [base, by, n] = [textOf(text), textOf(delimiter), int64Of(limit)];
  if (base === undefined || by === undefined || n === undefined) return undefined;
  const parts = by === "" ? Array.from(base) : base.split(by);
  const wanted = n >= 0n ? parts.slice(0, Number(n)) : parts.slice(Number(n));
  return writeArray(writeEach(wanted));
};

const quoteMeta = ofTexts((pattern: string) =>
  writeText(pattern.replace(/[*?\\[\]{}]/g, String.raw`\$&`)),
);

function countCharacters(text: string): number {
  let characters = 0;
  for (const _ of text) characters += 1;
  return characters;
}

export const textBuiltins: BuiltinGroup = {
  "glob.quote_meta": quoteMeta,
  indexof_n: indexOfN,
  "strings.count": count,
  "strings.split_n": splitN,
};
