/**
 * One server-sent event. A line end inside of a message would end its event early, so none gets in:
 * outside of strings a line end in JSON is a space like any other, inside there is none.
 */

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;

/** The text of an event with the parts of one JSON message as its data. */
export function encodeEvent(
  id: string | undefined,
  parts: readonly (string | Buffer)[],
): readonly (string | Buffer)[] {
  const start = id === undefined ? "data: " : `id: ${id}\ndata: `;
  return [start, ...parts.map(onOneLine), "\n\n"];
}

/** An event without data: the id to resume from, and how long to wait before (2025-11-25). */
export function encodePriming(id: string, retryMs: number): string {
  return `id: ${id}\nretry: ${retryMs}\ndata: \n\n`;
}

function onOneLine(part: string | Buffer): string | Buffer {
  if (typeof part === "string") return /[\r\n]/.test(part) ? part.replaceAll(/[\r\n]/g, " ") : part;
  if (!part.includes(lineFeed) && !part.includes(carriageReturn)) return part;
  return Buffer.from(part.map((byte) => (isLineEnd(byte) ? space : byte)));
}

function isLineEnd(byte: number): boolean {
  return byte === lineFeed || byte === carriageReturn;
}
