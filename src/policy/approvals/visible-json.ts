/**
 * JSON text as people may be shown it before they agree to it: the same document, with everything that
 * is invisible, moves the cursor or turns the line around written as JSON's own escapes.
 */

/** Controls, formats, surrogates, separators, blanks that are no space, and what is drawn as nothing. */
export const unseen = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** The same JSON, on one line. */
export function visibleJson(json: string): string {
  return json.replace(unseen, (character) =>
    Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
      .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
