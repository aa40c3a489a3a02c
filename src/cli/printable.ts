/**
 * Makes text safe for a terminal: controls, bidi, lone surrogates, separators and whatever is drawn as
 * nothing are shown as escapes, so that what an agent, an upstream or a registry wrote cannot move the
 * cursor or hide. The same characters as in what approvers are shown.
 */
import { unseen as unsafe } from "../policy/approvals/visible-json.ts";

/** For text that people read: `\u{…}`. */
export function printable(text: string): string {
  return text.replace(unsafe, (character) => `\\u{${codePointOf(character).toString(16)}}`);
}

/** Like `printable`, for text of several lines. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** True for text that `printable` would change. */
export function isUnsafe(text: string): boolean {
  return text.search(unsafe) >= 0;
}

/** For JSON: the same document, with escapes of its own; its line ends stay. */
export function safeJson(json: string): string {
  return json.replace(unsafe, (character) => (character === "\n" ? character : utf16(character)));
}

/** For YAML whose unsafe strings are double-quoted; its line ends stay. */
export function safeYaml(yaml: string): string {
  return yaml.replace(unsafe, (character) => {
    if (character === "\n") return character;
    return `\\U${codePointOf(character).toString(16).padStart(8, "0")}`;
  });
}

function utf16(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

function codePointOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}
