/**
 * What reading and writing tar have in common: blocks of 512 bytes, and the checksum of a header.
 */

/** Everything in a tar file is filled up to a multiple of this. */
export const blockBytes = 512;

/** One regular file of an archive, its name as written there. */
export interface TarFile {
  readonly name: string;
  readonly content: Buffer;
}

/** The size of some content with what fills its last block. */
export function paddedBytes(size: number): number {
  return Math.ceil(size / blockBytes) * blockBytes;
}

/** The sum of a header's bytes, its own checksum field counted as spaces. */
export function headerChecksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (const [index, byte] of block.entries()) if (index < 148 || index >= 156) sum += byte;
  return sum;
}
