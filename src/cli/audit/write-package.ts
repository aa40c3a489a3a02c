/**
 * Writes the parts of a package as one compressed archive, piece by piece.
 */
import { open, rename } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { tarEnd, tarFill, tarHead } from "../../bundle/write-tar.ts";
import type { PackagePart } from "../../decision/package/package-parts.ts";

/**
 * Resolves once it is written, whole.
 *
 * @param draft - a free place on the same disk; what is at `path` stays until the end
 */
export async function writePackage(
  path: string,
  draft: string,
  parts: readonly PackagePart[],
): Promise<void> {
  const file = await open(draft, "wx", 0o600);
  try {
    await pipeline(Readable.from(tarOf(parts)), createGzip(), async (pieces) => {
      for await (const piece of pieces) await file.writeFile(piece);
    });
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

async function* tarOf(parts: readonly PackagePart[]): AsyncGenerator<Buffer> {
  for (const { name, bytes, read } of parts) {
    yield tarHead(name, bytes);
    yield* read();
    yield tarFill(bytes);
  }
  yield tarEnd;
}
