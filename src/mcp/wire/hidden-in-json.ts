/**
 * Patterns that find hidden characters in JSON as it is written: as characters of its text, as
 * escapes, and as bytes of UTF-8. They find all that `showHidden` changes and, of ordinary text,
 * only the flags that it leaves alone. Halves of pairs are found by their escapes, since UTF-8 has none.
 */

const hex = "[0-9a-fA-F]";
const low = `\\\\u[dD][c-fC-F]${hex}{2}`;

const actingEscape =
  `\\\\b|\\\\u(?:00(?:0[0-8bBeEfF]|[189]${hex}|7[fF])|202[a-eA-E]|206[6-9a-fA-F]|[fF]{3}[9abAB]|` +
  `[dD]8(?:2[fF]|34)(?!${low})|[dD][bB]4(?:0(?!\\\\u[dD][dD][0-9a-eA-E])|[1-3])(?:${low})?)`;
const joiningEscape =
  "\\\\u(?:00[aA][dD]|034[fF]|061[cC]|115[fF]|1160|17[bB][45]|180[b-fB-F]|200[b-fB-F]|206[0-5]|3164|" +
  `[fF][eE]0${hex}|[fF][eE][fF]{2}|[fF]{2}[aA]0|[fF]{3}[0-8]|` +
  "[dD]82[fF]\\\\u[dD][cC][aA][0-3]|[dD]834\\\\u[dD][dD]7[3-9aA]|" +
  "[dD][bB]40\\\\u[dD][dD][0-9a-eA-E][0-9a-fA-F])";

const acting =
  `[\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u206f\\ufff9-\\ufffb]|` +
  `\\udb40(?![\\udd00-\\uddef])[\\udc00-\\udfff]|[\\udb41-\\udb43][\\udc00-\\udfff]|${actingEscape}`;
const joining =
  "[\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2060-\\u2065" +
  "\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufff8]|\\ud82f[\\udca0-\\udca3]|" +
  `\\ud834[\\udd73-\\udd7a]|\\udb40[\\udd00-\\uddef]|${joiningEscape}`;
const blackFlag = "\\ud83c\\udff4|\\\\u[dD]83[cC]\\\\u[dD][fF]{2}4";
const any = `(?:${acting}|${joining}|${blackFlag})`;

/** What any of them begins with: one test of a class passes over ordinary text fast. */
const first =
  "(?=[\\\\\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f" +
  "\\u202a-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb" +
  "\\ud82f\\ud834\\ud83c\\udb40-\\udb43])";
const firstByte = "(?=[\\\\\\x7f\\xc2\\xcd\\xd8\\xe1-\\xe3\\xef\\xf0\\xf3])";

/** Characters, not units, of a stretch that one look finds. */
export const longestLook = 1024;

/**
 * A stretch as group `hiding`. Without the group a backslash that is itself escaped, with what is
 * plain after it, so that `\\u001b` is not taken for an escape.
 */
export const stretches = new RegExp(
  `${first}(?:(?<hiding>(?:(?:${blackFlag}|(?:${joining}){1,3})?(?:${acting})|(?:${joining}){4})${any}{0,${longestLook}})|` +
    "(?:\\\\\\\\[ -\\[\\]-~]{0,64}){1,1024})",
  "g",
);
/** What goes on where a look ended. */
export const continuedStretch = new RegExp(`${any}{1,${longestLook}}`, "y");

const actingBytes =
  "\\x7f|\\xc2[\\x80-\\x9f]|\\xe2(?:\\x80[\\xaa-\\xae]|\\x81[\\xa6-\\xaf])|\\xef\\xbf[\\xb9-\\xbb]|" +
  `\\xf3\\xa0(?:[\\x80-\\x83]|\\x87[\\xb0-\\xbf]|[\\x88-\\xbf])|${actingEscape}`;
const joiningBytes =
  "\\xc2\\xad|\\xcd\\x8f|\\xd8\\x9c|\\xe1(?:\\x85[\\x9f\\xa0]|\\x9e[\\xb4\\xb5]|\\xa0[\\x8b-\\x8f])|" +
  "\\xe2(?:\\x80[\\x8b-\\x8f]|\\x81[\\xa0-\\xa5])|\\xe3\\x85\\xa4|" +
  "\\xef(?:\\xb8[\\x80-\\x8f]|\\xbb\\xbf|\\xbe\\xa0|\\xbf[\\xb0-\\xb8])|\\xf0\\x9b\\xb2[\\xa0-\\xa3]|" +
  `\\xf0\\x9d\\x85[\\xb3-\\xba]|\\xf3\\xa0(?:[\\x84-\\x86][\\x80-\\xbf]|\\x87[\\x80-\\xaf])|${joiningEscape}`;
/** In bytes read as Latin-1. */
export const hiddenBytes = new RegExp(`${firstByte}(?:${actingBytes}|(?:${joiningBytes}){4})`);
