/**
 * Cursors over a list that the gateway holds whole. A cursor names the list it belongs to, so that
 * one from before a change is refused and never skips or repeats an item unnoticed.
 */

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | undefined;
}

const pageSize = 250;

/** One page of `items`; `undefined` where the cursor belongs to no list with this `version`. */
export function paginate<Item>(
  items: readonly Item[],
  version: string,
  cursor: string | undefined,
): Page<Item> | undefined {
  const offset = cursor === undefined ? 0 : readCursor(cursor, version);
  if (offset === undefined || (offset > 0 && offset >= items.length)) return undefined;
  const end = offset + pageSize;
  const nextCursor = end < items.length ? writeCursor(version, end) : undefined;
  return { items: items.slice(offset, end), nextCursor };
}

function writeCursor(version: string, offset: number): string {
  return Buffer.from(`${version}:${offset}`).toString("base64url");
}

function readCursor(cursor: string, version: string): number | undefined {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  const [prefix, digits] = [
    text.slice(0, text.lastIndexOf(":")),
    text.slice(text.lastIndexOf(":") + 1),
  ];
  if (prefix !== version || !/^\d{1,9}$/.test(digits)) return undefined;
  return Number(digits);
}
