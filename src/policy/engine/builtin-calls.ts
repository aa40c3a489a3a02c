/**
 * The calls that a running policy makes into the host: builtins, aborting, printing. A policy
 * prints to nobody, because the process's output speaks JSON-RPC.
 */
import { builtins } from "./builtins/host-builtins.ts";
import type { Builtin, BuiltinContext } from "./builtins/builtin.ts";
import { EngineError } from "./engine-error.ts";
import { readOpaValue } from "./opa-value.ts";
import type { PolicyExports } from "./policy-exports.ts";
import { parseInto, readText } from "./policy-memory.ts";

export interface BuiltinCalls {
  /** Members of the import object `env`, beside the memory. */
  readonly imports: Readonly<Record<string, (...operands: readonly number[]) => number>>;
  /** Connects the imports with the instance that was made with them. */
  readonly bind: (policy: PolicyExports, needed: ReadonlyMap<string, number>) => void;
  /** What builtins see until the next call. */
  readonly setContext: (context: BuiltinContext) => void;
}

interface Binding {
  readonly policy: PolicyExports;
  readonly byId: ReadonlyMap<number, Builtin>;
}

/** Makes the host's side for one instance. */
export function createBuiltinCalls(memory: WebAssembly.Memory): BuiltinCalls {
  let bound: Binding | undefined;
  let context: BuiltinContext = { timeMs: 0 };
  const call = (id: number, _context: number, ...operands: readonly number[]): number => {
    if (bound === undefined) throw new Error("expected no builtin to be called before activation");
    return callBuiltin(memory, bound, { id, operands, context });
  };
  return {
    imports: {
      opa_abort: (address) => {
        throw new Error(readText(memory, address));
      },
      opa_println: () => 0,
      opa_builtin0: call,
      opa_builtin1: call,
      opa_builtin2: call,
      opa_builtin3: call,
      opa_builtin4: call,
    },
    bind: (policy, needed) => {
      bound = { policy, byId: resolveBuiltins(needed) };
    },
    setContext: (next) => {
      context = next;
    },
  };
}

/**
 * Finds an implementation for each builtin that a module needs.
 *
 * @throws EngineError `policy_builtin_unknown` naming all that nobody has.
 */
function resolveBuiltins(needed: ReadonlyMap<string, number>): ReadonlyMap<number, Builtin> {
  const byId = new Map<number, Builtin>();
  for (const [name, id] of needed) {
    const builtin = builtins.get(name);
    if (builtin !== undefined) byId.set(id, builtin);
  }
  const unknown = [...needed.keys()].filter((name) => !builtins.has(name));
  if (unknown.length === 0) return byId;
  throw new EngineError(
    "policy_builtin_unknown",
    `policy.wasm: expected builtins that the gateway has, found ${unknown.join(", ")}; ` +
      `"mcp-gateway policy check" names the rules that call them`,
  );
}

function callBuiltin(
  memory: WebAssembly.Memory,
  { policy, byId }: Binding,
  call: { id: number; operands: readonly number[]; context: BuiltinContext },
): number {
  const builtin = byId.get(call.id);
  if (builtin === undefined) throw new Error(`expected a known builtin, found id ${call.id}`);
  const operands = call.operands.map((address) =>
    readOpaValue(readText(memory, policy.opa_value_dump(address))),
  );
  const result = builtin(operands, call.context);
  return result === undefined ? 0 : parseInto(memory, policy, Buffer.from(result));
}
