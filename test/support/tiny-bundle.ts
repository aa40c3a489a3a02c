/**
 * The smallest bundle that opens: a WebAssembly module with OPA's imports, exports and ABI
 * version, and no policy in it, beside the source it says it was made of. For tests of everything before the engine.
 */
import { packBundle } from "../../src/bundle/archive.ts";

export interface TinyModule {
  readonly imports?: readonly (readonly [module: string, name: string])[];
  readonly exports?: readonly string[];
  readonly abi?: readonly [major: number, minor: number];
}

const magic = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const opaExports = [
  "builtins",
  "entrypoints",
  "opa_eval",
  "opa_heap_ptr_get",
  "opa_heap_ptr_set",
  "opa_json_dump",
  "opa_json_parse",
  "opa_malloc",
];

/** A module with one imported memory, one imported function for each name, and two globals. */
export function tinyWasm({ imports, exports, abi = [1, 3] }: TinyModule = {}): Buffer {
  const functions = imports ?? [["env", "opa_abort"]];
  const names = exports ?? opaExports;
  return Buffer.from([
    ...magic,
    ...section(1, [[0x60, 0, 0]]),
    ...section(2, [
      ...functions.map(([module, name]) => [...text(module), ...text(name), 0, 0]),
      [...text("env"), ...text("memory"), 2, 0, 2],
    ]),
    ...section(3, [[0]]),
    ...section(
      6,
      abi.map((value) => [0x7f, 0, 0x41, ...signed(value), 0x0b]),
    ),
    ...section(7, [
      ...names.map((name) => [...text(name), 0, functions.length]),
      [...text("opa_wasm_abi_version"), 3, 0],
      [...text("opa_wasm_abi_minor_version"), 3, 1],
    ]),
    ...section(10, [[2, 0, 0x0b]]),
  ]);
}

/** Files of a bundle; members given replace those of the tiny one, `undefined` removes one. */
export function tinyFiles(
  metadata: Readonly<Record<string, unknown>> = { name: "crm" },
  files: Readonly<Record<string, string | Buffer | undefined>> = {},
): Map<string, Buffer> {
  const manifest = {
    revision: "1.0.0",
    wasm: [{ entrypoint: "mcp/crm/decision", module: "/policy.wasm" }],
    metadata,
  };
  const isCompiled = !Object.hasOwn(files, "policy.wasm") || files["policy.wasm"] !== undefined;
  const source = isCompiled ? { "policy.rego": "package mcp.crm\n\ndecision := {}\n" } : {};
  const own = { ".manifest": JSON.stringify(manifest), "policy.wasm": tinyWasm(), ...source };
  const all = { ...own, ...files };
  return new Map(
    Object.entries(all).flatMap(([path, content]) =>
      content === undefined ? [] : [[path, Buffer.from(content)] as const],
    ),
  );
}

/** The tiny bundle as an archive. */
export function tinyArchive(metadata?: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.from(packBundle(tinyFiles(metadata)));
}

function section(id: number, entries: readonly (readonly number[])[]): readonly number[] {
  const content = [...unsigned(entries.length), ...entries.flat()];
  return [id, ...unsigned(content.length), ...content];
}

function text(value: string): readonly number[] {
  const bytes = Buffer.from(value);
  return [...unsigned(bytes.length), ...bytes];
}

function unsigned(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): readonly number[] {
  const low = value & 0x7f;
  const isLast = (value >> 6 === 0 || value >> 6 === -1) && value >= -64 && value < 64;
  return isLast ? [low] : [low | 0x80, ...signed(value >> 7)];
}
