/**
 * Hides a private key that comes in pieces, as servers print them line by line and arguments list them:
 * no piece but the first looks like one. A key in one piece is left to the detectors.
 */
import { privateKeyBegin, privateKeyEnd } from "./private-key-marks.ts";

/** More than a key of 16,384 bits has; who names the first line only is heard again afterwards. */
const mostPieces = 256;
const begin = new RegExp(privateKeyBegin, "g");
const end = new RegExp(privateKeyEnd);

/** Follows the pieces of one source, in their order. */
export class PrivateKeyPieces {
  #left = 0;

  /** Of the next piece what belongs to a key that is in several; `undefined` where nothing does. */
  next(text: string): { readonly start: number; readonly end: number } | undefined {
    const wasOpen = this.#left > 0;
    const last = wasOpen ? end.exec(text) : null;
    const behind = last === null ? 0 : last.index + last[0].length;
    if (wasOpen && last === null) {
      this.#left -= 1;
      return { start: 0, end: text.length };
    }
    const start = openedAt(text, behind);
    this.#left = start === undefined ? 0 : mostPieces;
    if (start === undefined) return wasOpen ? { start: 0, end: behind } : undefined;
    return { start: wasOpen ? 0 : start, end: text.length };
  }
}

/** Where a key begins that does not end in this text. */
function openedAt(text: string, from: number): number | undefined {
  if (text.length < from + 20) return undefined;
  const starts = [...text.slice(from).matchAll(begin)];
  const start = starts.at(-1);
  if (start === undefined || end.test(text.slice(from + start.index))) return undefined;
  return from + start.index;
}
