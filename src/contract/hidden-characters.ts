/**
 * Characters that a text should not bring to a model or a terminal, and how they are taken away. Two
 * sorts. Some act or have no use in ordinary text: controls other than tab, line feed, form feed and
 * carriage return; bidirectional embeddings, overrides and isolates; deprecated formats; tags; first
 * halves of pairs without a second, which would be one of them where what stands between is taken away.
 * Others are invisible and ordinary in small doses, in Persian, Khmer, Hindi or an emoji: joiners,
 * variation selectors, soft hyphens, fillers; only where more than three stand together do they hide
 * something. The flags of England, Scotland and Wales are the only texts that tags may spell, since
 * whatever else follows a black flag is a way to hide text (UTS #51, "RGI emoji tag sequence").
 */

/** What is done with them. */
export const hiddenRules = ["escape", "remove", "refuse", "keep"] as const;
export type HiddenRule = (typeof hiddenRules)[number];

const acting =
  "\\0-\\x08\\x0b\\x0e-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u206f\\ufff9-\\ufffb" +
  "\\u{e0000}-\\u{e00ff}\\u{e01f0}-\\u{e0fff}\\ud82f\\ud834\\udb40-\\udb43";
const joining =
  "\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2060-\\u2065" +
  "\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufff8\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}" +
  "\\u{e0100}-\\u{e01ef}";
const flag =
  "\\u{1f3f4}\\u{e0067}\\u{e0062}(?:\\u{e0065}\\u{e006e}\\u{e0067}|\\u{e0073}\\u{e0063}\\u{e0074}|" +
  "\\u{e0077}\\u{e006c}\\u{e0073})\\u{e007f}";

/** More of them together are no ordinary text. */
const maxTogether = 3;
const suspicious = new RegExp(`[${acting}]|[${joining}]{${maxTogether + 1}}`, "u");
const stretches = new RegExp(`${flag}|[${acting}${joining}]+`, "gu");
const flags = new RegExp(flag, "gu");
const allActing = new RegExp(`[${acting}]`, "gu");
const allJoining = new RegExp(`[${joining}]`, "gu");
const unread = new RegExp(`[${acting}${joining}]+|(?:\\\\u[0-9a-fA-F]{4})+`, "gu");
const written = /\\u([0-9a-fA-F]{4})/g;
/** Nothing in it is invisible, and nothing is escaped. */
const plain = /^[\t\n\f\r -[\]-~]*$/;

/** True where `showHidden` would change something. */
export function hasHidden(text: string): boolean {
  return suspicious.test(text) && suspicious.test(text.replaceAll(flags, "\u{1f3f4}"));
}

/** The text with each of them written as JSON escapes, or without them; the same string without any. */
export function showHidden(text: string, rule: "escape" | "remove"): string {
  if (!suspicious.test(text)) return text;
  const show = rule === "escape" ? escapeOf : () => "";
  return text.replace(stretches, (stretch) => {
    if (stretch.startsWith("\u{1f3f4}")) return stretch;
    const joiners = stretch.match(allJoining)?.length ?? 0;
    return joiners > maxTogether ? show(stretch) : stretch.replace(allActing, show);
  });
}

/** A text as a reader takes it in, and where its parts stand in the one that was written. */
export interface ReadText {
  readonly text: string;
  /** Offset in the written text of an offset in this one. */
  readonly offsetOf: (offset: number) => number;
}

/**
 * The text without anything invisible, a single joiner and an escape of `showHidden` included: what
 * hides between two digits must not keep them from being found. `undefined` where it is the same.
 */
export function readText(whole: string): ReadText | undefined {
  if (plain.test(whole)) return undefined;
  const cuts: { readonly at: number; readonly removed: number }[] = [];
  let removed = 0;
  const text = whole.replace(unread, (stretch, at: number) => {
    if (!isUnread(stretch)) return stretch;
    cuts.push({ at: at - removed, removed: removed + stretch.length });
    removed += stretch.length;
    return "";
  });
  if (cuts.length === 0) return undefined;
  const offsetOf = (offset: number): number =>
    offset + (cuts.findLast(({ at }) => at <= offset)?.removed ?? 0);
  return { text, offsetOf };
}

/** True for invisible characters, and for escapes of nothing else. */
function isUnread(stretch: string): boolean {
  if (!stretch.startsWith("\\")) return true;
  const meant = stretch.replaceAll(written, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return meant.replaceAll(stretches, "") === "";
}

/** As JSON writes it: a text that is itself JSON stays the same document. */
function escapeOf(stretch: string): string {
  let escapes = "";
  for (let index = 0; index < stretch.length; index += 1) {
    escapes += `\\u${stretch.charCodeAt(index).toString(16).padStart(4, "0")}`;
  }
  return escapes;
}
