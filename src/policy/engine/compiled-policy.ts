/**
 * A policy's WebAssembly, compiled once and checked as far as that goes without running a byte of
 * it: what it imports, and what memory it needs. Modules are shared between threads; instances are
 * not.
 */
import { messageOf } from "../../errors.ts";
import { EngineError } from "./engine-error.ts";
import { readMemoryNeed } from "./wasm-sections.ts";

export interface CompiledPolicy {
  readonly module: WebAssembly.Module;
  readonly initialPages: number;
  readonly maximumPages: number;
}

const builtinImports = [
  "opa_builtin0",
  "opa_builtin1",
  "opa_builtin2",
  "opa_builtin3",
  "opa_builtin4",
];
const allowedImports = new Set(["memory", "opa_abort", "opa_println", ...builtinImports]);

/**
 * Compiles and checks; runs nothing.
 *
 * @param maximumPages The most memory (64 KiB pages) an instance may ever have.
 * @throws EngineError `policy_module_invalid` or `policy_memory_exceeded`.
 */
export async function compilePolicy(
  wasm: Uint8Array,
  maximumPages: number,
): Promise<CompiledPolicy> {
  const module = await compileModule(wasm);
  checkImports(module);
  const need = readMemoryNeed(wasm);
  const maximum = Math.min(maximumPages, need.maximumPages ?? maximumPages);
  if (need.initialPages > maximum) {
    throw new EngineError(
      "policy_memory_exceeded",
      `policy.wasm: expected to start with at most ${maximum} pages of memory, found that it needs ` +
        `${need.initialPages}; make the bundle smaller or raise policy.memory_max_mb`,
    );
  }
  return { module, initialPages: need.initialPages, maximumPages: maximum };
}

async function compileModule(wasm: Uint8Array): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(wasm);
  } catch (cause) {
    throw new EngineError(
      "policy_module_invalid",
      `policy.wasm: expected a WebAssembly module, found bytes that do not compile (${messageOf(cause)})`,
      { cause },
    );
  }
}

function checkImports(module: WebAssembly.Module): void {
  const stranger = WebAssembly.Module.imports(module).find(
    (entry) => entry.module !== "env" || !allowedImports.has(entry.name),
  );
  if (stranger === undefined) return;
  throw new EngineError(
    "policy_module_invalid",
    `policy.wasm: expected imports of opa's abi only, found "${stranger.module}.${stranger.name}"`,
  );
}
