/** E-mail addresses, as people write them; quoted local parts and address literals are left out. */
import type { Span } from "./detector.ts";

const maxLocal = 64;
const maxDomain = 253;

/** Looks at both sides of every `@`. */
export function findEmails(text: string): readonly Span[] {
  const found: Span[] = [];
  for (let at = text.indexOf("@"); at !== -1; at = text.indexOf("@", at + 1)) {
    const local = /[\p{L}\p{N}!#$%&'*+/=?^_`{|}~.-]+$/u.exec(
      text.slice(Math.max(0, at - maxLocal), at),
    );
    const domain =
      /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|\p{L}{2,24})(?![\p{L}\p{N}])/iu.exec(
        text.slice(at + 1, at + 1 + maxDomain),
      );
    if (local === null || domain === null || /^\.+$/.test(local[0])) continue;
    found.push({ start: at - local[0].length, end: at + 1 + domain[0].length });
  }
  return found;
}
