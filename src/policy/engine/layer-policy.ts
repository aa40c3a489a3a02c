/**
 * One active layer's policy in a worker: keeps an instance while it behaves, makes a new one from
 * the compiled module after it threw or grew, and answers a value whatever happens.
 */
import { messageOf } from "../../errors.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import { EngineError } from "./engine-error.ts";
import { createPolicyInstance } from "./policy-instance.ts";
import type { PolicyInstance } from "./policy-instance.ts";

/** A result set as JSON text, or what went wrong. */
export type Evaluation =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string };

export interface LayerPolicy {
  readonly evaluate: (entrypoint: string, input: Uint8Array, timeMs: number) => Evaluation;
}

/** An instance that took this much more than at its start is replaced; memory never shrinks. */
const keptGrowthBytes = 8 * 1024 * 1024;

/**
 * Instantiates a policy and checks that it has the entrypoints it is going to be asked.
 *
 * @throws EngineError for a module that cannot be used; anything else from its start function.
 */
export function openLayerPolicy(
  compiled: CompiledPolicy,
  data: Uint8Array,
  entrypoints: readonly string[],
): LayerPolicy {
  let instance: PolicyInstance | undefined = createPolicyInstance(compiled, data);
  const startBytes = instance.memoryBytes();
  const ids = instance.entrypoints;
  const missing = entrypoints.find((name) => !ids.has(name));
  if (missing !== undefined) throw missingEntrypoint(missing, ids);
  return {
    evaluate: (entrypoint, input, timeMs) => {
      const id = ids.get(entrypoint);
      if (id === undefined) return { ok: false, message: `no entrypoint "${entrypoint}"` };
      try {
        instance ??= createPolicyInstance(compiled, data);
        const text = instance.evaluate(id, input, timeMs);
        if (instance.memoryBytes() > startBytes + keptGrowthBytes) instance = undefined;
        return { ok: true, text };
      } catch (thrown) {
        instance = undefined;
        return { ok: false, message: messageOf(thrown) };
      }
    },
  };
}

function missingEntrypoint(missing: string, ids: ReadonlyMap<string, number>): EngineError {
  return new EngineError(
    "policy_entrypoint_missing",
    `policy.wasm: expected entrypoint "${missing}", found ${[...ids.keys()].join(", ") || "none"}; ` +
      `build the bundle again so that its manifest and its module agree`,
  );
}
