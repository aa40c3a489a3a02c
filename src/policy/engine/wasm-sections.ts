/**
 * Reads from a module's bytes the two facts that the JavaScript interface does not tell: how much
 * memory its data segments need, which OPA's compiler does not write into the memory import, and
 * what limits that import states. Everything else about a module is left to the engine that
 * compiles it, which has validated the bytes before this file reads them.
 */
import { EngineError } from "./engine-error.ts";

export interface MemoryNeed {
  /** Pages (64 KiB) with which the memory has to start. */
  readonly initialPages: number;
  /** The module's own maximum; undefined where it states none. */
  readonly maximumPages: number | undefined;
}

interface Cursor {
  readonly bytes: Uint8Array;
  offset: number;
}

const pageBytes = 65_536;
const headerBytes = 8;
const importSection = 2;
const dataSection = 11;
const noMemory: MemoryNeed = { initialPages: 0, maximumPages: undefined };

/**
 * What memory a compiled policy has to be given: its data, one page of heap, and the import's own
 * limits.
 *
 * @throws EngineError `policy_module_invalid` for bytes that are not what OPA's compiler makes.
 */
export function readMemoryNeed(wasm: Uint8Array): MemoryNeed {
  const cursor = { bytes: wasm, offset: headerBytes };
  let imported = noMemory;
  let dataEnd = 0;
  while (cursor.offset < wasm.length) {
    const id = readByte(cursor);
    const end = readU32(cursor) + cursor.offset;
    if (id === importSection) imported = readMemoryImport(cursor);
    if (id === dataSection) dataEnd = readDataEnd(cursor);
    cursor.offset = end;
  }
  const needed = Math.ceil(dataEnd / pageBytes) + 1;
  return { ...imported, initialPages: Math.max(imported.initialPages, needed) };
}

function readMemoryImport(cursor: Cursor): MemoryNeed {
  let memory = noMemory;
  for (let left = readU32(cursor); left > 0; left -= 1) {
    skipBytes(cursor);
    skipBytes(cursor);
    memory = readImportKind(cursor) ?? memory;
  }
  return memory;
}

function readImportKind(cursor: Cursor): MemoryNeed | undefined {
  switch (readByte(cursor)) {
    case 0:
      readU32(cursor);
      return undefined;
    case 1:
      readByte(cursor);
      readLimits(cursor);
      return undefined;
    case 2:
      return readLimits(cursor);
    case 3:
      cursor.offset += 2;
      return undefined;
    default:
      throw invalid("imports of functions, tables, memories and globals", "another kind of import");
  }
}

function readLimits(cursor: Cursor): MemoryNeed {
  const flags = readByte(cursor);
  if (flags > 1) throw invalid("a plain 32-bit memory", "a shared or 64-bit one");
  const initialPages = readU32(cursor);
  return { initialPages, maximumPages: flags === 1 ? readU32(cursor) : undefined };
}

function readDataEnd(cursor: Cursor): number {
  let end = 0;
  for (let left = readU32(cursor); left > 0; left -= 1) {
    const kind = readU32(cursor);
    if (kind === 2) readU32(cursor);
    const start = kind === 1 ? 0 : readConstant(cursor);
    end = Math.max(end, start + skipBytes(cursor));
  }
  return end;
}

/** `i32.const N end`; OPA's compiler writes no other offset. */
function readConstant(cursor: Cursor): number {
  if (readByte(cursor) !== 0x41) throw invalid("data at constant offsets", "a computed offset");
  const value = readU32(cursor);
  if (readByte(cursor) !== 0x0b) throw invalid("data at constant offsets", "a computed offset");
  return value;
}

/** Skips a counted run of bytes and answers how many there were. */
function skipBytes(cursor: Cursor): number {
  const length = readU32(cursor);
  cursor.offset += length;
  return length;
}

function readU32(cursor: Cursor): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = readByte(cursor);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw invalid("numbers of at most 32 bits", "a longer one");
}

function readByte(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.offset];
  if (byte === undefined) throw invalid("complete sections", "the end of the file");
  cursor.offset += 1;
  return byte;
}

function invalid(expected: string, found: string): EngineError {
  return new EngineError(
    "policy_module_invalid",
    `policy.wasm: expected ${expected}, found ${found}; build the bundle again with opa`,
  );
}
