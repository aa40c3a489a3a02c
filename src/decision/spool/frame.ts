/**
 * The bytes of a segment: a header (magic, format version, checksum), then frames. A frame is
 * `magic u32 | length u32 | crc32 u32 | payload`, big endian, the checksum over length and payload.
 * The magic begins with 0xff, which no UTF-8 payload holds, so a reader finds the next intact frame
 * behind a damaged one. Zeros behind the last frame are room written ahead, not damage.
 */
import { crc32 } from "node:zlib";

const headerMagic = "MCPGWSEG";
/** Version of the segment format; a reader leaves newer ones alone. */
export const segmentVersion = 1;
/** Bytes before the first frame. */
export const segmentHeaderBytes = 16;

const frameMagic = Buffer.from([0xff, 0x4d, 0x43, 0x52]);
const frameHeadBytes = 12;

export interface Frame {
  /** Where the frame begins in its segment. */
  readonly offset: number;
  /** Where the next one begins. */
  readonly end: number;
  readonly payload: Buffer;
}

/** A range of a segment that holds no intact frame. */
export interface Damage {
  readonly from: number;
  readonly to: number;
}

export interface Scan {
  readonly frames: readonly Frame[];
  readonly damage: readonly Damage[];
  /** Where the next scan goes on. */
  readonly next: number;
}

/** The header of a new segment. */
export function encodeSegmentHeader(): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes);
  header.write(headerMagic, 0, "latin1");
  header.writeUInt32BE(segmentVersion, 8);
  header.writeUInt32BE(crc32(header.subarray(0, 12)), 12);
  return header;
}

/** `newer` and `damaged` say that the frames cannot be read, or only by searching for them. */
export function readSegmentHeader(bytes: Buffer): "ok" | "empty" | "newer" | "damaged" {
  if (bytes.length === 0) return "empty";
  if (bytes.length < segmentHeaderBytes) return "damaged";
  if (bytes.toString("latin1", 0, 8) !== headerMagic) return "damaged";
  if (bytes.readUInt32BE(12) !== crc32(bytes.subarray(0, 12))) return "damaged";
  return bytes.readUInt32BE(8) === segmentVersion ? "ok" : "newer";
}

/** All payloads as frames, one behind the other, in one buffer. */
export function encodeFrames(payloads: readonly string[]): Buffer {
  const lengths = payloads.map((payload) => Buffer.byteLength(payload));
  const total = lengths.reduce((sum, length) => sum + frameHeadBytes + length, 0);
  const bytes = Buffer.allocUnsafe(total);
  let at = 0;
  payloads.forEach((payload, index) => {
    const length = lengths[index] ?? 0;
    frameMagic.copy(bytes, at);
    bytes.writeUInt32BE(length, at + 4);
    bytes.write(payload, at + frameHeadBytes, "utf8");
    bytes.writeUInt32BE(checksum(bytes, at, length), at + 8);
    at += frameHeadBytes + length;
  });
  return bytes;
}

/**
 * Reads the intact frames of `bytes`, which begin at `base` of their segment. With `final` false it
 * stops at the first place it cannot read, because more bytes may follow; with `final` true it
 * skips damage up to the next intact frame.
 */
export function scanFrames(bytes: Buffer, base: number, final: boolean): Scan {
  const frames: Frame[] = [];
  const damage: Damage[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = frameEnd(bytes, at);
    if (end !== undefined) {
      const payload = bytes.subarray(at + frameHeadBytes, end);
      frames.push({ offset: base + at, end: base + end, payload });
      at = end;
      continue;
    }
    if (!final || isZero(bytes, at)) break;
    const next = findFrame(bytes, at + 1);
    damage.push({ from: base + at, to: base + (next ?? bytes.length) });
    at = next ?? bytes.length;
  }
  return { frames, damage, next: base + at };
}

/** The end of the intact frame at `at`, `undefined` where there is none. */
function frameEnd(bytes: Buffer, at: number): number | undefined {
  if (at + frameHeadBytes > bytes.length) return undefined;
  if (frameMagic.compare(bytes, at, at + frameMagic.length) !== 0) return undefined;
  const length = bytes.readUInt32BE(at + 4);
  const end = at + frameHeadBytes + length;
  if (end > bytes.length) return undefined;
  return checksum(bytes, at, length) === bytes.readUInt32BE(at + 8) ? end : undefined;
}

function findFrame(bytes: Buffer, from: number): number | undefined {
  let at = bytes.indexOf(frameMagic, from);
  while (at >= 0 && frameEnd(bytes, at) === undefined) at = bytes.indexOf(frameMagic, at + 1);
  return at < 0 ? undefined : at;
}

function checksum(bytes: Buffer, at: number, length: number): number {
  const ofLength = crc32(bytes.subarray(at + 4, at + 8));
  return crc32(bytes.subarray(at + frameHeadBytes, at + frameHeadBytes + length), ofLength);
}

function isZero(bytes: Buffer, from: number): boolean {
  for (let at = from; at < bytes.length; at += 1) if (bytes[at] !== 0) return false;
  return true;
}
