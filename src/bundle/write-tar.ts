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
    if (Buffer.byteLength(name) > maxNameBytes) {
      const record = writePaxPath(name);
      blocks.push(writeHeader("PaxHeader", "x", record.length), padded(record));
    }
    blocks.push(writeHeader(name, "0", content.length), padded(content));
  }
  blocks.push(Buffer.alloc(2 * blockBytes));
  return Buffer.concat(blocks);
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

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc(paddedBytes(content.length) - content.length)]);
}
