/**
 * Reads numbers, names and sections of a WebAssembly binary (core specification, "Binary Format").
 */

/** Reads forward through bytes; every method throws `RangeError` past their end. */
export interface WasmReader {
  readonly done: () => boolean;
  readonly byte: () => number;
  /** LEB128, unsigned, 32 bits. */
  readonly u32: () => number;
  /** LEB128, signed, 32 bits. */
  readonly s32: () => number;
  readonly bytes: (length: number) => Buffer;
  readonly name: () => string;
}

/** Starts reading at the first byte. */
export function createWasmReader(content: Buffer): WasmReader {
  let at = 0;
  const bytes = (length: number): Buffer => {
    if (at + length > content.length) throw new RangeError("section is cut off");
    at += length;
    return content.subarray(at - length, at);
  };
  const byte = (): number => bytes(1).readUInt8();
  const u32 = (): number => Number(BigInt.asUintN(32, readLeb128(byte, false)));
  return {
    done: () => at >= content.length,
    byte,
    u32,
    s32: () => Number(BigInt.asIntN(32, readLeb128(byte, true))),
    bytes,
    name: () => bytes(u32()).toString("utf8"),
  };
}

/** The sections of a module by id; custom sections (id 0) are left out. */
export function readWasmSections(module: Buffer): ReadonlyMap<number, Buffer> {
  const reader = createWasmReader(module.subarray(8));
  const sections = new Map<number, Buffer>();
  while (!reader.done()) {
    const id = reader.byte();
    const content = reader.bytes(reader.u32());
    if (id !== 0) sections.set(id, content);
  }
  return sections;
}

/** Five bytes at most; a signed number carries the sign bit of its last byte on. */
function readLeb128(byte: () => number, isSigned: boolean): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 35n; shift += 7n) {
    const next = byte();
    value |= BigInt(next & 0x7f) << shift;
    if ((next & 0x80) !== 0) continue;
    return isSigned && (next & 0x40) !== 0 ? value | (-1n << (shift + 7n)) : value;
  }
  throw new RangeError("number has more than 32 bits");
}
