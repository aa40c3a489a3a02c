/**
 * Private keys whose lines are the items of one list, as files are sent line by line. Only what stands
 * at the same place of further items is looked at, so that nobody hides other parts of a record by
 * beginning a key.
 */
import { PrivateKeyPieces } from "../../contract/private-key-pieces.ts";
import type { MaskPlace } from "./mask-place.ts";

/** Of every first line. */
const mark = /PRIVATE KEY|PuTTY-User-Key/;

export class SplitKeys {
  #open: { readonly list: string; readonly pieces: PrivateKeyPieces } | undefined;

  /** True while items that follow may belong to a key. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Of a text how many characters belong to a key that began in an item before it. */
  next(place: Pick<MaskPlace, "pointer">, text: string): number {
    if (this.#open === undefined && !mark.test(text)) return 0;
    const list = place.pointer.replaceAll(/\/\d+(?=\/|$)/g, "/*");
    if (this.#open?.list !== list) {
      if (!list.includes("/*") || !mark.test(text)) return 0;
      this.#open = { list, pieces: new PrivateKeyPieces() };
    }
    const key = this.#open.pieces.next(text);
    return key?.start === 0 ? key.end : 0;
  }
}
