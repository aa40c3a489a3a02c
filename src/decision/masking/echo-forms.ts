/**
 * How a text is written where it is repeated: as it is, and as JSON, URLs, forms, base64 and hexadecimal
 * digits write it.
 */

/** Shorter ones are looked for as words of their own. */
const leastInside = 6;
/** Of fewer bytes so little is left in base64 that it may stand for something else. */
const leastInBase64 = 9;

/** Of a regular expression that finds any of the forms. */
export function sourceOf(original: string, forms: readonly string[]): string {
  const any = forms.map((form) => form.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&")).join("|");
  return original.length >= leastInside
    ? `(?:${any})`
    : `(?<![\\p{L}\\p{N}_])(?:${any})(?![\\p{L}\\p{N}_])`;
}

/** The ways in which a text may be written, the longest first. */
export function formsOf(original: string): readonly string[] {
  return [...new Set(writtenForms(original))].toSorted((a, b) => b.length - a.length);
}

function writtenForms(original: string): readonly string[] {
  const json = JSON.stringify(original).slice(1, -1);
  const forms = [original, json, JSON.stringify(json).slice(1, -1), inUrl(original)];
  if (original.length < leastInside) return forms;
  const bytes = Buffer.from(original);
  return [
    ...forms,
    original.trim(),
    inUrl(original).replaceAll("%20", "+"),
    inUrl(original).replaceAll(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase()),
    ...inBase64(bytes).flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
  ];
}

/** Half a surrogate pair has no form there. */
function inUrl(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** As it stands there alone, and behind one or two bytes of something else, as behind a user's name. */
function inBase64(bytes: Buffer): readonly string[] {
  const alone = bytes.toString("base64").replace(/=+$/, "");
  if (bytes.length < leastInBase64) return [alone];
  return [0, 1, 2].flatMap((before) => {
    const inside = Buffer.concat([Buffer.alloc(before), bytes]);
    const text = inside.toString("base64").replace(/=+$/, "");
    // Characters at both ends have bits of what is beside it.
    const start = before === 0 ? 0 : before + 1;
    const form = text.slice(start, Math.floor((inside.length * 8) / 6));
    return before === 0 ? [alone, form] : [form];
  });
}
