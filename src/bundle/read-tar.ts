/**
 * Reads tar (POSIX ustar with PAX and GNU long names) strictly and from memory. Promises that every
 * entry returned is a regular file whose name reads the same in every other tar reader; links,
 * devices, sparse files, size overrides, unknown types and broken records are refused and never
 * skipped. What a name may look like is left to `archive-path.ts`.
 *
 * Own code because `modern-tar` takes unknown entry types for files, cuts names at the first NUL,
 * decodes them leniently, and stops reading PAX records quietly where one is malformed.
 */
import { BundleError } from "./bundle-error.ts";
import { readPaxPath } from "./pax.ts";
import type { TarFile } from "./tar-block.ts";
import { blockBytes, headerChecksum, paddedBytes } from "./tar-block.ts";

const posixMagic = "ustar\x0000";
const gnuMagic = "ustar  \0";
const maxMetaBytes = 64 * 1024;
const maxPaddingBytes = 64 * 1024;

interface TarHeader {
  readonly block: Buffer;
  readonly type: string;
  readonly size: number;
}

/**
 * Reads all regular files, in order.
 *
 * @throws BundleError `bundle_archive_invalid`, `bundle_archive_unsafe`, or `bundle_too_large`
 *   past `maxFiles` entries of any type
 */
export function readTar(archive: Buffer, maxFiles: number): readonly TarFile[] {
  const files: TarFile[] = [];
  let longName: string | undefined;
  let at = 0;
  for (let entries = 0; ; entries += 1) {
    const block = blockAt(archive, at);
    if (isZero(block)) break;
    if (entries >= maxFiles) throw tooMany(maxFiles);
    const header = readHeader(block);
    const content = contentAt(archive, at + blockBytes, header);
    at += blockBytes + paddedBytes(header.size);
    const found = readEntry(header, content, longName);
    if (found.file !== undefined) files.push(found.file);
    longName = found.longName;
  }
  if (longName !== undefined) throw invalid("it ends after a long name without its file");
  checkEnd(archive, at);
  return files;
}

interface Entry {
  readonly file?: TarFile;
  readonly longName: string | undefined;
}

function readEntry(header: TarHeader, content: Buffer, longName: string | undefined): Entry {
  switch (header.type) {
    case "0":
    case "\0":
      return { file: { name: longName ?? readName(header.block), content }, longName: undefined };
    case "5":
      if (header.size !== 0) throw unsafe("a folder with content");
      return { longName: undefined };
    case "g":
      if (readPaxPath(metaContent(content)) !== undefined) throw unsafe("one name for all entries");
      return { longName };
    case "x":
      return { longName: onlyName(longName, readPaxPath(metaContent(content))) };
    case "L":
      return { longName: onlyName(longName, readGnuName(metaContent(content))) };
    default:
      throw unsafe(`an entry of type ${describeType(header.type)}`);
  }
}

function metaContent(content: Buffer): Buffer {
  if (content.length <= maxMetaBytes) return content;
  throw invalid(`an extended header is larger than ${maxMetaBytes} bytes`);
}

function onlyName(first: string | undefined, second: string | undefined): string | undefined {
  if (first !== undefined && second !== undefined) throw unsafe("two long names for one file");
  return first ?? second;
}

function readGnuName(content: Buffer): string {
  const end = content.at(-1) === 0 ? content.length - 1 : content.length;
  return decode(content.subarray(0, end));
}

function readHeader(block: Buffer): TarHeader {
  if (readOctal(block, 148, 8) !== headerChecksum(block))
    throw invalid("a header checksum is wrong");
  const magic = block.toString("latin1", 257, 265);
  if (magic !== posixMagic && magic !== gnuMagic) {
    throw invalid("an entry is neither POSIX ustar nor GNU tar");
  }
  const type = block.toString("latin1", 156, 157);
  return { block, type, size: readOctal(block, 124, 12) };
}

/** Not read where a long name stands for it: GNU tar cuts it off within a character. */
function readName(block: Buffer): string {
  const isPosix = block.toString("latin1", 257, 265) === posixMagic;
  const name = readText(block, 0, 100);
  const prefix = isPosix ? readText(block, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Text up to the first NUL; anything after it would be a second name for somebody else. */
function readText(block: Buffer, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  if (end === -1) return decode(field);
  if (!isZero(field.subarray(end))) throw unsafe("a name with bytes behind its end");
  return decode(field.subarray(0, end));
}

function readOctal(block: Buffer, at: number, length: number): number {
  const text = block
    .toString("latin1", at, at + length)
    .replace(/^ +/, "")
    .replace(/[ \0]+$/, "");
  if (/^[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  throw invalid("a header has a number that is not octal");
}

function blockAt(archive: Buffer, at: number): Buffer {
  if (at + blockBytes > archive.length) throw invalid("it is cut off");
  return archive.subarray(at, at + blockBytes);
}

function contentAt(archive: Buffer, at: number, header: TarHeader): Buffer {
  if (at + paddedBytes(header.size) > archive.length) throw invalid("it is cut off");
  return archive.subarray(at, at + header.size);
}

/** Two blocks of zeros end an archive, and nothing but zeros may follow them. */
function checkEnd(archive: Buffer, at: number): void {
  if (archive.length < at + 2 * blockBytes) throw invalid("its end marker is cut off");
  const rest = archive.subarray(at);
  if (rest.length > maxPaddingBytes || !isZero(rest)) {
    throw invalid("it goes on after its end marker");
  }
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (thrown) {
    throw unsafe("a name that is not UTF-8", thrown);
  }
}

function describeType(type: string): string {
  const known: Readonly<Record<string, string>> = {
    "1": "hard link",
    "2": "symbolic link",
    "3": "character device",
    "4": "block device",
    "6": "pipe",
    S: "sparse file",
  };
  return known[type] ?? JSON.stringify(type);
}

function invalid(found: string): BundleError {
  return new BundleError(
    "bundle_archive_invalid",
    `bundle archive: expected a whole tar file, but ${found}`,
  );
}

function unsafe(found: string, cause?: unknown): BundleError {
  return new BundleError(
    "bundle_archive_unsafe",
    `bundle archive: expected regular files with one clear name each, found ${found}`,
    { cause },
  );
}

function tooMany(maxFiles: number): BundleError {
  return new BundleError(
    "bundle_too_large",
    `bundle archive: expected at most ${maxFiles} entries, found more`,
  );
}
