/**
 * Writes a tar file reproducibly: POSIX ustar, with a PAX path where a name is too long for it.
 */
import { writePaxPath } from "./pax.ts";
import type { TarFile } from "./tar-block.ts";
import { blockBytes, headerChecksum, paddedBytes } from "./tar-block.ts";

const maxNameBytes = 100;

/** Writes files in the order given: mode 0644, no owner, no time. */
export function writeTar(files: readonly TarFile[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { name, content } of files) {
    blocks.push(tarHead(name, content.length), content, tarFill(content.length));
  }
  blocks.push(tarEnd);
  return Buffer.concat(blocks);
}

/** What stands behind the last file. */
export const tarEnd = Buffer.alloc(2 * blockBytes);

/** What stands before the content of a file. */
export function tarHead(name: string, bytes: number): Buffer {
  const header = writeHeader(name, "0", bytes);
  if (Buffer.byteLength(name) <= maxNameBytes) return header;
  const record = writePaxPath(name);
  const before = writeHeader("PaxHeader", "x", record.length);
  return Buffer.concat([before, record, tarFill(record.length), header]);
}

/** What fills the last block of so much content. */
export function tarFill(bytes: number): Buffer {
  return Buffer.alloc(paddedBytes(bytes) - bytes);
}

function writeHeader(name: string, type: "0" | "x", size: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  // Writes whole characters only; a name that is cut off has its PAX path before it.
  block.write(name, 0, maxNameBytes, "utf8");
  block.write("0000644\x000000000\x000000000\0", 100, "latin1");
  block.write(`${size.toString(8).padStart(11, "0")}\x0000000000000\0`, 124, "latin1");
  block.write(type, 156, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  block.write(`${headerChecksum(block).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
