/**
 * Hidden characters in the text of a JSON value, in its names as well as in its strings, whether they
 * stand there raw or as escapes. Everything else keeps its bytes: numbers, spacing, members that
 * stand twice. Works on the text and not on values, since a text with thousands of small strings must
 * not take longer than one with a large string.
 */
import { isAscii } from "node:buffer";
import { showHidden } from "../../contract/hidden-characters.ts";

export interface CleanedJson {
  /** The very same string where nothing was changed. */
  readonly text: string;
  /** Places that were changed. */
  readonly changed: number;
  /** False where there is too much to look at: the text may then hold some still. */
  readonly isWhole: boolean;
}

/** One character that may have to go, raw or as an escape; a pair of escapes is one. */
const one =
  "\\\\u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\\\u[0-9a-fA-F]{4}|\\\\b|" +
  "[\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e" +
  "\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb]|" +
  "\\ud82f[\\udca0-\\udca3]|\\ud834[\\udd73-\\udd7a]|\\ud83c\\udff4|[\\udb40-\\udb43][\\udc00-\\udfff]";
/** Bounded, because a pattern that repeats without end runs out of stack; any other escape is passed. */
const stretches = new RegExp(`(?:${one}){1,1024}|\\\\[^u]`, "g");

const joiners =
  "\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2060-\\u2065" +
  "\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufff8\\ud82f\\ud834";
/** By single units, which is fast, and so finds a little more than there is. */
const suspiciousRaw = new RegExp(
  "[\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u206f\\ufff9-\\ufffb\\udb40-\\udb43]|" +
    `[${joiners}][${joiners}\\udca0-\\udca3\\udd73-\\udd7a]{3}`,
);
/** The first digits of escapes of what may have to go. */
const suspiciousEscape = new RegExp(
  "\\\\b|\\\\u(?:00(?:0[0-8bBeEfF]|[189]|7[fF]|[aA][dD])|034|061|11[56]|17[bB]|180|20[026]|316|" +
    "[fF][eE][0fF]|[fF][fF][aAfF]|[dD]8(?:2[fF]|34)|[dD][bB]4)",
);
/** So many different places take a fifth of a second; other calls do not wait for longer. */
const maxDifferent = 65_536;
const maxRemembered = 64;

/** False where nothing has to be done, without reading the bytes as JSON; mostly that is so. */
export function mayHoldHidden(bytes: Buffer): boolean {
  const hasEscapes = bytes.includes("\\u") || bytes.includes("\\b");
  if (!isAscii(bytes)) {
    const text = bytes.toString("utf8");
    return hasEscapes ? isSuspicious(text) : suspiciousRaw.test(text);
  }
  if (bytes.includes(0x7f)) return true;
  return hasEscapes && suspiciousEscape.test(bytes.toString("latin1"));
}

/** The JSON text without them; `text` has to be JSON. */
export function cleanJson(text: string, rule: "escape" | "remove"): CleanedJson {
  const known = new Map<string, string>();
  let [changed, different] = [0, 0];
  const cleaned = text.replace(stretches, (stretch) => {
    if (!isSuspicious(stretch)) return stretch;
    let shown = known.get(stretch);
    if (shown === undefined) {
      different += 1;
      if (different > maxDifferent) return stretch;
      shown = cleanStretch(stretch, rule);
      if (stretch.length <= maxRemembered) known.set(stretch, shown);
    }
    if (shown !== stretch) changed += 1;
    return shown;
  });
  return { text: changed === 0 ? text : cleaned, changed, isWhole: different <= maxDifferent };
}

function isSuspicious(text: string): boolean {
  return suspiciousEscape.test(text) || suspiciousRaw.test(text);
}

/** The same stretch where nothing in it has to go. */
function cleanStretch(stretch: string, rule: "escape" | "remove"): string {
  const meant: unknown = JSON.parse(`"${stretch}"`);
  if (typeof meant !== "string") return stretch;
  const shown = showHidden(meant, rule);
  return shown === meant ? stretch : JSON.stringify(shown).slice(1, -1);
}
