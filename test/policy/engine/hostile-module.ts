/**
 * Assembles small WebAssembly modules that speak OPA's ABI and mean no good, byte by byte, so that
 * no compiler has to agree to write them.
 */

export interface HostileModule {
  readonly abi?: readonly [major: number, minor: number];
  /** Code of the start function; none without. */
  readonly start?: readonly number[];
  /** Code of `eval`, which answers an i32; 0 without. */
  readonly evaluate?: readonly number[];
  /** What `opa_json_dump` of a result answers; the address of `result` without. */
  readonly resultAddress?: number;
  /** Text of the result set. */
  readonly result?: string;
  /** Further imports as `module.name` of functions without operands. */
  readonly imports?: readonly string[];
  /** Names in `builtins()`. */
  readonly builtins?: string;
  /** Exports that are left out. */
  readonly without?: readonly string[];
  /** A text that the code can point at; it stands at `textAddress`. */
  readonly text?: string;
  readonly dataOffset?: number;
}

export const textAddress = 1024;
const magic = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const builtinsAddress = 2048;
const entrypointsAddress = 3072;
const resultTextAddress = 32_768;
const heapAddress = 8192;

/** Indexes of the imported functions. */
export const call = { abort: [0x10, 0], println: [0x10, 1] } as const;
export const op = {
  end: 0x0b,
  unreachable: 0x00,
  drop: 0x1a,
  /** `loop br 0 end`: never ends. */
  forever: [0x03, 0x40, 0x0c, 0x00, 0x0b],
  /** Counts in memory how often it ran, and never ends from the second time on. */
  // prettier-ignore
  foreverLater: [
    0x41, 16, 0x41, 16, 0x28, 2, 0, 0x41, 1, 0x6a, 0x36, 2, 0,
    0x41, 16, 0x28, 2, 0, 0x41, 1, 0x4a, 0x04, 0x40,
    0x03, 0x40, 0x0c, 0x00, 0x0b, 0x0b,
  ],
  /** Takes all memory it can get, again and again. */
  eatMemory: [0x03, 0x40, 0x41, 0x01, 0x40, 0x00, 0x41, 0x00, 0x4e, 0x0d, 0x00, 0x0b, 0x00],
} as const;

/** `i32.const value`. */
export function constant(value: number): readonly number[] {
  return [0x41, ...signed(value)];
}

/** The module's bytes; its one entrypoint is `p/NAME/decision`. */
export function assembleModule(name: string, hostile: HostileModule = {}): Uint8Array {
  const { result = '[{"result":{"allow":["x"]}}]', builtins = "{}" } = hostile;
  const imports = ["env.opa_abort", "env.opa_println", ...(hostile.imports ?? [])];
  const code = functionsOf(hostile);
  const types = [
    [0x60, 0, 0],
    [0x60, 1, 0x7f, 0],
    [0x60, 0, 1, 0x7f],
    [0x60, 1, 0x7f, 1, 0x7f],
    [0x60, 2, 0x7f, 0x7f, 1, 0x7f],
    [0x60, 2, 0x7f, 0x7f, 0],
  ];
  const first = imports.length;
  const exported = code.filter(({ export: as }) => as && !hostile.without?.includes(as));
  const texts: readonly (readonly [number, string])[] = [
    [hostile.dataOffset ?? textAddress, hostile.text ?? ""],
    [builtinsAddress, builtins],
    [entrypointsAddress, `{"p/${name}/decision":0}`],
    [resultTextAddress, result],
  ];
  const [major, minor] = hostile.abi ?? [1, 3];
  const start = code.findIndex(({ isStart }) => isStart);
  return new Uint8Array([
    ...magic,
    ...section(1, types),
    ...section(2, [
      ...imports.map((path, place) => [...importName(path), 0, place < 2 ? 1 : 0]),
      [...importName("env.memory"), 2, 0, 1],
    ]),
    ...section(
      3,
      code.map(({ type }) => [type]),
    ),
    ...section(6, [
      [0x7f, 0, ...constant(major), op.end],
      [0x7f, 0, ...constant(minor), op.end],
    ]),
    ...section(7, [
      ...exported.map((each) => [...string(each.export ?? ""), 0, first + code.indexOf(each)]),
      [...string("opa_wasm_abi_version"), 3, 0],
      [...string("opa_wasm_abi_minor_version"), 3, 1],
    ]),
    ...(start < 0 ? [] : [8, 1, first + start]),
    ...section(
      10,
      code.map(({ body }) => sized([0, ...body, op.end])),
    ),
    ...section(
      11,
      texts.map(([at, text]) => [0, ...constant(at), op.end, ...string(`${text}\0`)]),
    ),
  ]);
}

interface Code {
  readonly export?: string;
  readonly isStart?: boolean;
  readonly type: number;
  readonly body: readonly number[];
}

/** Every address but those of texts is one and the same; nothing here keeps anything. */
function functionsOf({
  evaluate = constant(0),
  resultAddress,
  start,
}: HostileModule): readonly Code[] {
  const operand = [0x20, 0];
  return [
    { export: "builtins", type: 2, body: constant(builtinsAddress) },
    { export: "entrypoints", type: 2, body: constant(entrypointsAddress) },
    { export: "eval", type: 3, body: evaluate },
    {
      export: "opa_eval_ctx_get_result",
      type: 3,
      body: constant(resultAddress ?? resultTextAddress),
    },
    { export: "opa_eval_ctx_new", type: 2, body: constant(heapAddress) },
    { export: "opa_eval_ctx_set_data", type: 5, body: [] },
    { export: "opa_eval_ctx_set_entrypoint", type: 5, body: [] },
    { export: "opa_eval_ctx_set_input", type: 5, body: [] },
    { export: "opa_heap_ptr_get", type: 2, body: constant(heapAddress) },
    { export: "opa_heap_ptr_set", type: 1, body: [] },
    { export: "opa_json_dump", type: 3, body: operand },
    { export: "opa_malloc", type: 3, body: constant(heapAddress) },
    { export: "opa_value_dump", type: 3, body: operand },
    { export: "opa_value_parse", type: 4, body: operand },
    ...(start === undefined ? [] : [{ isStart: true, type: 0, body: start }]),
  ];
}

function section(id: number, entries: readonly (readonly number[])[]): readonly number[] {
  return [id, ...sized([...unsigned(entries.length), ...entries.flat()])];
}

function sized(bytes: readonly number[]): readonly number[] {
  return [...unsigned(bytes.length), ...bytes];
}

function string(text: string): readonly number[] {
  return sized([...Buffer.from(text)]);
}

function importName(path: string): readonly number[] {
  const [module = "", name = ""] = path.split(".");
  return [...string(module), ...string(name)];
}

function unsigned(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): readonly number[] {
  const low = value & 0x7f;
  const rest = value >> 7;
  const isLast = (rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40);
  return isLast ? [low] : [low | 0x80, ...signed(rest)];
}
