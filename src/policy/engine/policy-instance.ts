/**
 * One instance of a compiled policy behind OPA's WebAssembly ABI. It promises that only complete,
 * parsed input is ever judged and that whatever goes wrong is thrown. An instance that threw has
 * lost part of its stack and knows no way back: whoever holds it throws it away.
 */
import { isRecord } from "../../contract/json.ts";
import { createBuiltinCalls } from "./builtin-calls.ts";
import type { BuiltinCalls, EvaluationContext } from "./builtin-calls.ts";
import { loadBuiltins } from "./builtins/host-builtins.ts";
import type { LoadedBuiltins } from "./builtins/host-builtins.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import { EngineError } from "./engine-error.ts";
import { readExports } from "./policy-exports.ts";
import type { PolicyExports } from "./policy-exports.ts";
import { parseInto, readText } from "./policy-memory.ts";

export interface PolicyInstance {
  /** Ids of the entrypoints by path, `mcp/crm/decision`. */
  readonly entrypoints: ReadonlyMap<string, number>;
  /**
   * The result set as JSON text: `[{"result": …}]`, or `[]` where the entrypoint is undefined.
   *
   * @param input UTF-8 JSON.
   * @throws For whatever the policy or its input did; the instance is then lost.
   */
  readonly evaluate: (entrypoint: number, input: Uint8Array, context: EvaluationContext) => string;
  readonly memoryBytes: () => number;
  /** Another instance of the same policy with the same data; throws as `openPolicyInstance` does. */
  readonly renew: () => PolicyInstance;
}

interface Instantiated {
  readonly memory: WebAssembly.Memory;
  readonly calls: BuiltinCalls;
  readonly policy: PolicyExports;
  /** Ids of the builtins by name. */
  readonly needed: ReadonlyMap<string, number>;
}

/**
 * Makes an instance, loads the builtins that it needs, and gives it its data. The module's start
 * function runs here.
 *
 * @param data UTF-8 JSON of the base document.
 * @throws EngineError where the module is not what OPA makes, needs a builtin that nobody has, or
 *   cannot hold its data; anything else where its start function did not end well.
 */
export async function openPolicyInstance(
  compiled: CompiledPolicy,
  data: Uint8Array,
): Promise<PolicyInstance> {
  const parts = instantiate(compiled);
  const builtins = await loadBuiltins(parts.needed.keys());
  const connect = (instantiated: Instantiated): PolicyInstance => ({
    ...connectInstance(instantiated, data, builtins),
    renew: () => connect(instantiate(compiled)),
  });
  return connect(parts);
}

function instantiate({ module, initialPages, maximumPages }: CompiledPolicy): Instantiated {
  const memory = new WebAssembly.Memory({ initial: initialPages, maximum: maximumPages });
  const calls = createBuiltinCalls(memory);
  const instance = new WebAssembly.Instance(module, { env: { memory, ...calls.imports } });
  const policy = readExports(instance);
  return { memory, calls, policy, needed: readIds(memory, policy, policy.builtins()) };
}

function connectInstance(
  { memory, calls, policy, needed }: Instantiated,
  data: Uint8Array,
  builtins: LoadedBuiltins,
): Omit<PolicyInstance, "renew"> {
  calls.bind(policy, needed, builtins);
  const entrypoints = readIds(memory, policy, policy.entrypoints());
  const dataAddress = parseInto(memory, policy, data);
  if (dataAddress === 0) throw invalidData();
  const heapStart = policy.opa_heap_ptr_get();
  return {
    entrypoints,
    evaluate: (entrypoint, input, context) => {
      calls.setContext(context);
      policy.opa_heap_ptr_set(heapStart);
      // A parser that gives up answers 0, and 0 means "no input" to a policy: it would be asked
      // about nothing and a default might allow it.
      const inputAddress = parseInto(memory, policy, input);
      if (inputAddress === 0) throw new Error("expected json as input, found text that is none");
      return evaluateParsed(memory, policy, { entrypoint, inputAddress, dataAddress });
    },
    memoryBytes: () => memory.buffer.byteLength,
  };
}

function evaluateParsed(
  memory: WebAssembly.Memory,
  policy: PolicyExports,
  call: { entrypoint: number; inputAddress: number; dataAddress: number },
): string {
  const context = policy.opa_eval_ctx_new();
  policy.opa_eval_ctx_set_input(context, call.inputAddress);
  policy.opa_eval_ctx_set_data(context, call.dataAddress);
  policy.opa_eval_ctx_set_entrypoint(context, call.entrypoint);
  if (policy.eval(context) !== 0) throw new Error("expected the policy to end well, found a fault");
  return readText(memory, policy.opa_json_dump(policy.opa_eval_ctx_get_result(context)));
}

function readIds(
  memory: WebAssembly.Memory,
  policy: PolicyExports,
  address: number,
): ReadonlyMap<string, number> {
  const names: unknown = JSON.parse(readText(memory, policy.opa_json_dump(address)));
  const ids = isRecord(names) ? Object.entries(names) : [];
  return new Map(ids.flatMap(([name, id]) => (typeof id === "number" ? [[name, id]] : [])));
}

function invalidData(): EngineError {
  return new EngineError(
    "policy_data_invalid",
    "data.json: expected json, found other text; build the bundle again",
  );
}
