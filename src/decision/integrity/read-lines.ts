/**
 * The lines of a file that only grows, in pieces: files of years are longer than a text can be. Links
 * are not followed.
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";

const pieceBytes = 256 * 1024;
/** What is kept of a line; nobody writes longer ones. */
const lineMaxBytes = 64 * 1024 * 1024;
const lineEnd = 10;

/** What stands behind the last end of a line was torn by a crash. Of a line that is too long a part. */
export async function* readLines(path: string): AsyncGenerator<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    let begun = new BegunLine();
    const buffer = Buffer.alloc(pieceBytes);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, pieceBytes);
      if (bytesRead === 0) return;
      const piece = buffer.subarray(0, bytesRead);
      let from = 0;
      for (let end = piece.indexOf(lineEnd); end !== -1; end = piece.indexOf(lineEnd, from)) {
        begun.add(piece.subarray(from, end));
        yield begun.text();
        begun = new BegunLine();
        from = end + 1;
      }
      begun.add(piece.subarray(from));
    }
  } finally {
    await file.close();
  }
}

/** A line whose end was not seen yet. */
class BegunLine {
  readonly #pieces: Buffer[] = [];
  #bytes = 0;

  add(piece: Buffer): void {
    if (this.#bytes >= lineMaxBytes) return;
    this.#pieces.push(Buffer.from(piece));
    this.#bytes += piece.length;
  }

  text(): string {
    return Buffer.concat(this.#pieces).toString("utf8");
  }
}
