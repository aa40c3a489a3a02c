/**
 * Writes tar entries as no honest tool would, with checksums that are right.
 */
import { gzipSync } from "node:zlib";
import { openArchive } from "../../src/bundle/archive.ts";
import { thrownCode } from "./bundle-setting.ts";

export interface HostileEntry {
  readonly name: string | Buffer;
  readonly type?: string;
  readonly content?: string | Buffer;
  /** Written in place of the content's size. */
  readonly size?: string;
  readonly linkName?: string;
  readonly prefix?: string;
  readonly magic?: string;
  readonly checksum?: string;
}

/** One tar file with these entries and its end marker. */
export function hostileTar(...entries: readonly HostileEntry[]): Buffer {
  return Buffer.concat([...entries.map(writeEntry), Buffer.alloc(1024)]);
}

/** `opened`, or the code of the refusal. */
export function openHostile(...entries: readonly HostileEntry[]): string {
  return thrownCode(() => openArchive(gzipSync(hostileTar(...entries)))) ?? "opened";
}

/** A PAX record with its right length. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  const guess = bytes + String(bytes).length;
  return `${bytes + String(guess).length}${rest}`;
}

function writeEntry(entry: HostileEntry): Buffer {
  const content = Buffer.from(entry.content ?? "");
  const block = Buffer.alloc(512);
  block.set(Buffer.from(entry.name).subarray(0, 100), 0);
  block.write("0000644\x000000000\x000000000\0", 100, "latin1");
  block.write(entry.size ?? `${content.length.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  block.write("00000000000\0        ", 136, "latin1");
  block.write(entry.type ?? "0", 156, "latin1");
  block.write(entry.linkName ?? "", 157, "latin1");
  block.write(entry.magic ?? "ustar\x0000", 257, "latin1");
  block.write(entry.prefix ?? "", 345, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(entry.checksum ?? `${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([block, content, padding]);
}
