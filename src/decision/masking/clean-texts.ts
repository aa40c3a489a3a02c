/**
 * Texts of records in which nothing was found to hide. Most of a record stands in the record before it
 * too: who acts, what a rule says. What was looked through once is not looked through again. Kept in
 * memory only, within bounds, the ones that were not met for the longest going first.
 */

/** Longer ones are rarely met again. */
export const cleanMaxCharacters = 2048;
const maxCharacters = 512 * 1024;
const maxTexts = 4096;

export class CleanTexts {
  #young = new Set<string>();
  #old: ReadonlySet<string> = new Set<string>();
  #characters = 0;

  has(key: string): boolean {
    if (this.#young.has(key)) return true;
    if (!this.#old.has(key)) return false;
    this.add(key);
    return true;
  }

  add(key: string): void {
    if (this.#young.has(key)) return;
    this.#characters += key.length;
    if (this.#young.size >= maxTexts || this.#characters > maxCharacters) {
      this.#old = this.#young;
      this.#young = new Set();
      this.#characters = key.length;
    }
    this.#young.add(key);
  }
}
