/**
 * The calls that a running policy makes into the host: builtins, aborting, printing. A policy
 * prints to nobody, because the process's output speaks JSON-RPC.
 */
import type { Builtin, BuiltinContext } from "./builtins/builtin.ts";
import type { LoadedBuiltins } from "./builtins/host-builtins.ts";
import { maxAnswerBytes } from "./builtins/values.ts";
import { EngineError } from "./engine-error.ts";
import type { NdBuiltinCache } from "./nd-builtin-cache.ts";
import { ndBuiltins } from "./nd-builtin-cache.ts";
import { readOpaValue } from "./opa-value.ts";
import type { OpaValue } from "./opa-value.ts";
import type { PolicyExports } from "./policy-exports.ts";
import { parseInto, readText } from "./policy-memory.ts";
import { unknownBuiltins } from "./unknown-builtins.ts";

/** What builtins know and keep while one decision is made. */
export interface EvaluationContext extends BuiltinContext {
  readonly ndBuiltinCache: NdBuiltinCache;
}

export interface BuiltinCalls {
  /** Members of the import object `env`, beside the memory. */
  readonly imports: Readonly<Record<string, (...operands: readonly number[]) => number>>;
  /**
   * Connects the imports with the instance that was made with them.
   *
   * @param needed Ids of the builtins by name.
   * @throws EngineError `policy_builtin_unknown` naming all that nobody has.
   */
  readonly bind: (
    policy: PolicyExports,
    needed: ReadonlyMap<string, number>,
    builtins: LoadedBuiltins,
  ) => void;
  /** What builtins see until the next call. */
  readonly setContext: (context: EvaluationContext) => void;
}

interface NamedBuiltin {
  readonly name: string;
  readonly builtin: Builtin;
}

interface Binding {
  readonly policy: PolicyExports;
  readonly byId: ReadonlyMap<number, NamedBuiltin>;
}

/** Makes the host's side for one instance. */
export function createBuiltinCalls(memory: WebAssembly.Memory): BuiltinCalls {
  let bound: Binding | undefined;
  let context: EvaluationContext | undefined;
  const call = (id: number, _context: number, ...operands: readonly number[]): number => {
    if (bound === undefined || context === undefined) {
      throw new Error("expected no builtin to be called before activation");
    }
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
    bind: (policy, needed, builtins) => {
      bound = { policy, byId: resolveBuiltins(needed, builtins) };
    },
    setContext: (next) => {
      context = next;
    },
  };
}

function resolveBuiltins(
  needed: ReadonlyMap<string, number>,
  builtins: LoadedBuiltins,
): ReadonlyMap<number, NamedBuiltin> {
  const byId = new Map<number, NamedBuiltin>();
  const unknown: string[] = [];
  for (const [name, id] of needed) {
    const builtin = builtins.get(name);
    if (builtin === undefined) unknown.push(name);
    else byId.set(id, { name, builtin });
  }
  if (unknown.length === 0) return byId;
  throw new EngineError("policy_builtin_unknown", `policy.wasm: ${unknownBuiltins(unknown)}`);
}

function callBuiltin(
  memory: WebAssembly.Memory,
  { policy, byId }: Binding,
  call: { id: number; operands: readonly number[]; context: EvaluationContext },
): number {
  const named = byId.get(call.id);
  if (named === undefined) throw new Error(`expected a known builtin, found id ${call.id}`);
  const operands = call.operands.map((address) =>
    readOpaValue(readText(memory, policy.opa_value_dump(address))),
  );
  const answer = answerOf(named, operands, call.context);
  if (answer === undefined) return 0;
  // Each character is a byte at least, and bytes lie outside of what a thread is limited in.
  if (answer.length > maxAnswerBytes) throw tooLong(named.name, answer.length);
  const bytes = Buffer.from(answer);
  if (bytes.length > maxAnswerBytes) throw tooLong(named.name, bytes.length);
  const address = parseInto(memory, policy, bytes);
  // 0 would be "undefined", which an allow and a deny read as opposites.
  if (address === 0) throw new Error(`expected a value from ${named.name}, found other text`);
  return address;
}

function answerOf(
  { name, builtin }: NamedBuiltin,
  operands: readonly OpaValue[],
  context: EvaluationContext,
): string | undefined {
  if (!ndBuiltins.has(name)) return builtin(operands, context);
  const { ndBuiltinCache } = context;
  return ndBuiltinCache.answer(name, operands, () => builtin(operands, context));
}

function tooLong(name: string, bytes: number): Error {
  return new Error(
    `expected at most ${maxAnswerBytes} bytes as the answer of ${name}, found ${bytes}`,
  );
}
