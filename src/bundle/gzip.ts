/**
 * One gzip member, written reproducibly and read strictly (RFC 1952). Node's own `gunzip` reads on
 * into further members and passes over what follows the last; here both are refused, so that two
 * readers of one archive cannot see different contents.
 */
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { isRecord } from "../contract/json.ts";
import { codeOf } from "../errors.ts";
import { BundleError } from "./bundle-error.ts";

const headerBytes = 10;
const trailerBytes = 8;
const flags = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;
/** Deflate, no flags, no time, "unknown" operating system. */
const fixedHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** True when the bytes begin like a gzip member. */
export function looksLikeGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** How much the one member says that it unpacks to, modulo 2^32. */
export function declaredBytes(bytes: Buffer): number {
  return bytes.length < headerBytes + trailerBytes ? 0 : bytes.readUInt32LE(bytes.length - 4);
}

/** Compresses; the same bytes give the same result on every machine with the same zlib. */
export function gzip(bytes: Uint8Array): Buffer {
  const trailer = Buffer.alloc(trailerBytes);
  trailer.writeUInt32LE(crc32(bytes), 0);
  trailer.writeUInt32LE(bytes.length % 2 ** 32, 4);
  return Buffer.concat([fixedHeader, deflateRawSync(bytes, { level: 9 }), trailer]);
}

/**
 * Decompresses exactly one member that fills the input to its last byte.
 *
 * @throws BundleError `bundle_too_large` past `maxBytes`, `bundle_archive_invalid` otherwise
 */
export function gunzip(bytes: Uint8Array, maxBytes: number): Buffer {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = endOfHeader(input);
  const { buffer, engine } = inflate(input.subarray(start), maxBytes, declaredBytes(input));
  const end = start + engine.bytesWritten;
  if (input.length !== end + trailerBytes) {
    throw invalid(
      input.length < end + trailerBytes
        ? "it ends before its checksum"
        : "it goes on after the end of its one member",
    );
  }
  const intact =
    input.readUInt32LE(end) === crc32(buffer) &&
    input.readUInt32LE(end + 4) === buffer.length % 2 ** 32;
  if (!intact) throw invalid("its checksum does not match its content");
  return buffer;
}

interface Inflated {
  readonly buffer: Buffer;
  /** `bytesWritten` is what was written to the engine: the compressed bytes it consumed. */
  readonly engine: { readonly bytesWritten: number };
}

/** Stops where the member says that it ends: whoever lies about that costs no more than it said. */
function inflate(deflated: Buffer, maxBytes: number, declared: number): Inflated {
  const maxOutputLength = Math.max(1, Math.min(maxBytes, declared));
  try {
    const result: unknown = inflateRawSync(deflated, { info: true, maxOutputLength });
    if (isInflated(result)) return result;
  } catch (thrown) {
    if (codeOf(thrown) !== "ERR_BUFFER_TOO_LARGE") {
      throw invalid("its deflate data is broken or cut off", thrown);
    }
    if (declared < maxBytes) throw invalid("it does not end where it says that it ends");
    throw new BundleError(
      "bundle_too_large",
      `bundle archive: expected at most ${maxBytes} bytes when decompressed, found more`,
    );
  }
  throw new TypeError("zlib did not report how much of its input it consumed");
}

function isInflated(result: unknown): result is Inflated {
  if (!isRecord(result) || !Buffer.isBuffer(result["buffer"])) return false;
  const engine: unknown = result["engine"];
  return isObject(engine) && "bytesWritten" in engine && typeof engine.bytesWritten === "number";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Where the deflate data begins; optional header fields are passed over, reserved ones refused. */
function endOfHeader(input: Buffer): number {
  if (!looksLikeGzip(input) || input[2] !== 8) throw invalid("it is no gzip file");
  const flag = input[3] ?? 0;
  if ((flag & flags.reserved) !== 0) throw invalid("its header uses reserved flags");
  let at = headerBytes;
  if ((flag & flags.extra) !== 0) at += 2 + (input[at] ?? 0) + 256 * (input[at + 1] ?? 0);
  if ((flag & flags.name) !== 0) at = input.indexOf(0, at) + 1;
  if ((flag & flags.comment) !== 0) at = input.indexOf(0, at) + 1;
  if ((flag & flags.headerCrc) !== 0) at += 2;
  if (at < headerBytes || at + trailerBytes > input.length) throw invalid("its header is cut off");
  return at;
}

function invalid(found: string, cause?: unknown): BundleError {
  return new BundleError(
    "bundle_archive_invalid",
    `bundle archive: expected one whole gzip member, but ${found}`,
    { cause },
  );
}
