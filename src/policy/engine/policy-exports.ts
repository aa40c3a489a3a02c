/**
 * The functions that OPA's ABI promises, taken from an instance and checked once.
 */
import { EngineError } from "./engine-error.ts";

/** Addresses and numbers in, address or number out. */
export type PolicyCall = (...operands: readonly number[]) => number;
export type PolicyExports = ReturnType<typeof readExports>;

const abi = { major: 1, minor: 2 };

/**
 * Takes the ABI from an instance.
 *
 * @throws EngineError `policy_abi_unsupported` for another major version or one before 1.2,
 *   `policy_module_invalid` where a function is missing.
 */
export function readExports({ exports }: WebAssembly.Instance) {
  const major = globalOf(exports["opa_wasm_abi_version"]);
  const minor = globalOf(exports["opa_wasm_abi_minor_version"]);
  if (major !== abi.major || minor === undefined || minor < abi.minor) {
    throw new EngineError(
      "policy_abi_unsupported",
      `policy.wasm: expected opa's abi ${abi.major}.${abi.minor} or a later ${abi.major}.x, found ` +
        `${major ?? "no version"}.${minor ?? "none"}; build the bundle with a current opa`,
    );
  }
  const call = (name: string): PolicyCall => callOf(name, exports[name]);
  return {
    builtins: call("builtins"),
    entrypoints: call("entrypoints"),
    eval: call("eval"),
    opa_eval_ctx_get_result: call("opa_eval_ctx_get_result"),
    opa_eval_ctx_new: call("opa_eval_ctx_new"),
    opa_eval_ctx_set_data: call("opa_eval_ctx_set_data"),
    opa_eval_ctx_set_entrypoint: call("opa_eval_ctx_set_entrypoint"),
    opa_eval_ctx_set_input: call("opa_eval_ctx_set_input"),
    opa_heap_ptr_get: call("opa_heap_ptr_get"),
    opa_heap_ptr_set: call("opa_heap_ptr_set"),
    opa_json_dump: call("opa_json_dump"),
    opa_malloc: call("opa_malloc"),
    opa_value_dump: call("opa_value_dump"),
    opa_value_parse: call("opa_value_parse"),
  };
}

function callOf(name: string, exported: unknown): PolicyCall {
  if (typeof exported === "function") {
    // Addresses are unsigned; JavaScript sees every i32 as signed.
    return (...operands) => Number(exported(...operands)) >>> 0;
  }
  throw new EngineError(
    "policy_module_invalid",
    `policy.wasm: expected opa's abi, found no function "${name}"; build the bundle with opa`,
  );
}

function globalOf(exported: unknown): number | undefined {
  if (typeof exported !== "object" || exported === null || !("value" in exported)) return undefined;
  return typeof exported.value === "number" ? exported.value : undefined;
}
