/**
 * One active layer's policy in a worker: keeps an instance while it behaves, makes a new one from
 * the compiled module after it threw or grew, and answers a value whatever happens.
 */
import { messageOf } from "../../errors.ts";
import type { EvaluationContext } from "./builtin-calls.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import { EngineError } from "./engine-error.ts";
import { openPolicyInstance } from "./policy-instance.ts";
import type { PolicyInstance } from "./policy-instance.ts";

/** A result set as JSON text, or what went wrong. */
export type Evaluation =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string };

export interface LayerPolicy {
  readonly evaluate: (
    entrypoint: string,
    input: Uint8Array,
    context: EvaluationContext,
  ) => Evaluation;
}

/** An instance that took this much more than at its start is replaced; memory never shrinks. */
const keptGrowthBytes = 8 * 1024 * 1024;

/**
 * Instantiates a policy and checks that it has the entrypoints it is going to be asked.
 *
 * @param options `isFresh`: nothing of one evaluation is there at the next.
 * @throws EngineError for a module that cannot be used; anything else from its start function.
 */
export async function openLayerPolicy(
  compiled: CompiledPolicy,
  data: Uint8Array,
  entrypoints: readonly string[],
  { isFresh = false }: { readonly isFresh?: boolean } = {},
): Promise<LayerPolicy> {
  let instance: PolicyInstance | undefined = await openPolicyInstance(compiled, data);
  const startBytes = instance.memoryBytes();
  // Nothing else of the first instance is kept: its memory goes when it is replaced.
  const { entrypoints: ids, renew } = instance;
  const missing = entrypoints.find((name) => !ids.has(name));
  if (missing !== undefined) throw missingEntrypoint(missing, ids);
  return {
    evaluate: (entrypoint, input, context) => {
      const id = ids.get(entrypoint);
      if (id === undefined) return { ok: false, message: `no entrypoint "${entrypoint}"` };
      try {
        instance ??= renew();
        const text = instance.evaluate(id, input, context);
        const hasGrown = instance.memoryBytes() > startBytes + keptGrowthBytes;
        if (isFresh || hasGrown) instance = undefined;
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
