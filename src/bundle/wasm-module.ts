/**
 * What can be known of a compiled policy without running it: that it is a module, that it imports
 * nothing but OPA's five kinds of callback and its memory, and which ABI it was built for. Whether
 * its builtins are known and its entrypoints answer is judged by the engine at activation.
 */
import { messageOf } from "../errors.ts";
import { BundleError } from "./bundle-error.ts";
import type { WasmReader } from "./wasm-reader.ts";
import { createWasmReader, readWasmSections } from "./wasm-reader.ts";

/** What a module says of itself. */
export interface WasmModule {
  /** `opa_wasm_abi_version`.`opa_wasm_abi_minor_version` */
  readonly abiVersion: string;
  /** As `env.memory`. */
  readonly imports: readonly string[];
  readonly exports: readonly string[];
}

const maxWasmBytes = 16 * 1024 * 1024;
const magic = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const section = { imports: 2, globals: 6, exports: 7 } as const;
const kind = { function: 0, table: 1, memory: 2, global: 3 } as const;
const knownImports = new Set([
  "env.memory",
  "env.opa_abort",
  "env.opa_println",
  ...[0, 1, 2, 3, 4].map((count) => `env.opa_builtin${count}`),
]);
const neededExports = [
  "builtins",
  "entrypoints",
  "opa_eval",
  "opa_heap_ptr_get",
  "opa_heap_ptr_set",
  "opa_json_dump",
  "opa_json_parse",
  "opa_malloc",
];

/**
 * Looks into `policy.wasm`.
 *
 * @param where - bundle and file, for messages
 * @throws BundleError `bundle_wasm_invalid`, `bundle_too_large`
 */
export function inspectWasm(wasm: Buffer, where: string): WasmModule {
  if (wasm.length > maxWasmBytes) {
    const message = `${where}: expected at most ${maxWasmBytes} bytes, found ${wasm.length}`;
    throw new BundleError("bundle_too_large", message);
  }
  if (!wasm.subarray(0, magic.length).equals(magic)) {
    throw invalid(where, "a WebAssembly module of version 1", "other bytes");
  }
  const module = readModule(wasm, where);
  const foreign = module.imports.find((name) => !knownImports.has(name));
  if (foreign !== undefined) {
    throw invalid(where, "imports of OPA's ABI only", JSON.stringify(foreign.slice(0, 100)));
  }
  const missing = neededExports.filter((name) => !module.exports.includes(name));
  if (missing.length > 0)
    throw invalid(where, `exports ${missing.join(", ")}`, "none of that name");
  if (!/^1\.(?:[2-9]|[1-9]\d+)$/.test(module.abiVersion)) {
    throw invalid(where, "OPA's WebAssembly ABI 1.2 or a later 1.x", module.abiVersion);
  }
  return module;
}

function readModule(wasm: Buffer, where: string): WasmModule {
  try {
    const sections = readWasmSections(wasm);
    const reader = (id: number): WasmReader => createWasmReader(sections.get(id) ?? noEntries);
    const imports = readImports(reader(section.imports));
    const importedGlobals = imports.filter((entry) => entry.kind === kind.global).length;
    const globals = readGlobals(reader(section.globals));
    const exports = readExports(reader(section.exports));
    const version = (name: string): string => {
      const found = exports.find((entry) => entry.kind === kind.global && entry.name === name);
      return String(found === undefined ? "?" : (globals[found.index - importedGlobals] ?? "?"));
    };
    return {
      abiVersion: `${version("opa_wasm_abi_version")}.${version("opa_wasm_abi_minor_version")}`,
      imports: imports.map(({ name }) => name),
      exports: exports.map(({ name }) => name),
    };
  } catch (thrown) {
    throw invalid(where, "a whole WebAssembly module", messageOf(thrown), thrown);
  }
}

const noEntries = Buffer.from([0]);

function* entries<Entry>(reader: WasmReader, read: () => Entry): Generator<Entry> {
  for (let left = reader.u32(); left > 0; left -= 1) yield read();
}

function readImports(
  reader: WasmReader,
): readonly { readonly name: string; readonly kind: number }[] {
  const read = (): { name: string; kind: number } => {
    const name = `${reader.name()}.${reader.name()}`;
    const importKind = reader.byte();
    skipImportType(reader, importKind);
    return { name, kind: importKind };
  };
  return [...entries(reader, read)];
}

function skipImportType(reader: WasmReader, importKind: number): void {
  switch (importKind) {
    case kind.function:
      reader.u32();
      return;
    case kind.table:
      reader.byte();
      skipLimits(reader);
      return;
    case kind.memory:
      skipLimits(reader);
      return;
    case kind.global:
      reader.bytes(2);
      return;
    default:
      throw new RangeError(`an import of unknown kind ${importKind}`);
  }
}

function skipLimits(reader: WasmReader): void {
  const hasMaximum = reader.byte() % 2 === 1;
  reader.u32();
  if (hasMaximum) reader.u32();
}

function readExports(
  reader: WasmReader,
): readonly { readonly name: string; readonly kind: number; readonly index: number }[] {
  const read = (): { name: string; kind: number; index: number } => ({
    name: reader.name(),
    kind: reader.byte(),
    index: reader.u32(),
  });
  return [...entries(reader, read)];
}

/** Values of constant 32-bit globals; `undefined` for others. */
function readGlobals(reader: WasmReader): readonly (number | undefined)[] {
  const read = (): number | undefined => {
    reader.bytes(2);
    const value = readConstant(reader);
    if (reader.byte() !== 0x0b) throw new RangeError("a global that is not one constant");
    return value;
  };
  return [...entries(reader, read)];
}

function readConstant(reader: WasmReader): number | undefined {
  const instruction = reader.byte();
  switch (instruction) {
    case 0x41:
      return reader.s32();
    case 0x42:
      while (reader.byte() >= 0x80);
      return undefined;
    case 0x43:
      reader.bytes(4);
      return undefined;
    case 0x44:
      reader.bytes(8);
      return undefined;
    case 0x23:
      reader.u32();
      return undefined;
    default:
      throw new RangeError(`a global with instruction ${instruction}`);
  }
}

function invalid(where: string, expected: string, found: string, cause?: unknown): BundleError {
  return new BundleError(
    "bundle_wasm_invalid",
    `${where}: expected ${expected}, found ${found}; build it with bundle push or opa build -t wasm`,
    { cause },
  );
}
