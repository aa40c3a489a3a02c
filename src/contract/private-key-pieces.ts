/**
 * Finds a private key that comes in pieces, as servers print them line by line and arguments list them:
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
    if (this.#left === 0) {
      const start = this.#open(text, 0);
      return start === undefined ? undefined : { start, end: text.length };
    }
    const last = end.exec(text);
    if (last === null) {
      this.#left -= 1;
      return { start: 0, end: text.length };
    }
    const behind = last.index + last[0].length;
    return { start: 0, end: this.#open(text, behind) === undefined ? behind : text.length };
  }

  /** Where a key begins behind a place that does not end in the text; the next pieces are of it. */
  #open(text: string, from: number): number | undefined {
    const start = openedAt(text, from);
    this.#left = start === undefined ? 0 : mostPieces;
    return start;
  }
}

/** Where a key begins that does not end in this text. */
function openedAt(text: string, from: number): number | undefined {
  const start = [...text.slice(from).matchAll(begin)].at(-1);
  if (start === undefined || end.test(text.slice(from + start.index))) return undefined;
  return from + start.index;
}
