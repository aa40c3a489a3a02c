/**
 * Lines of a byte stream that end in CR, LF or both, as server-sent events have them. A line over
 * the limit is dropped as it streams in, so that only its length is left.
 */
import { ByteParts } from "./byte-parts.ts";

export interface StreamLine {
  /** Without its end; `undefined` where it was too long to be kept. */
  readonly bytes: Buffer | undefined;
  readonly length: number;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Call the returned function with each chunk. A line that never ended is lost. */
export function createLineReader(
  maxBytes: number,
  onLine: (line: StreamLine) => void,
): (chunk: Buffer) => void {
  const parts = new ByteParts();
  let length = 0;
  let skipsLineFeed = false;

  function append(part: Buffer): void {
    length += part.length;
    if (length <= maxBytes) parts.push(part);
    else parts.clear();
  }

  function finish(): void {
    const bytes = parts.take();
    const line = { bytes: length > maxBytes ? undefined : bytes, length };
    length = 0;
    onLine(line);
  }

  return (chunk) => {
    let start = skipsLineFeed && chunk[0] === lineFeed ? 1 : 0;
    if (chunk.length > 0) skipsLineFeed = false;
    for (;;) {
      const end = endOfLine(chunk, start);
      if (end < 0) break;
      if (end > start) append(chunk.subarray(start, end));
      finish();
      start = end + 1;
      if (chunk[end] !== carriageReturn) continue;
      if (start === chunk.length) skipsLineFeed = true;
      else if (chunk[start] === lineFeed) start += 1;
    }
    if (start < chunk.length) append(chunk.subarray(start));
  };
}

/** JSON text holds neither byte raw, so that either search runs to the end of the line at most. */
function endOfLine(chunk: Buffer, start: number): number {
  const feed = chunk.indexOf(lineFeed, start);
  const line = feed < 0 ? chunk.subarray(start) : chunk.subarray(start, feed);
  const returned = line.indexOf(carriageReturn);
  return returned < 0 ? feed : start + returned;
}
