/**
 * Asks calls of builtins of a compiled policy in the gateway and of OPA's own evaluator, which is
 * the definition of what they mean.
 */
import * as z from "zod";
import type { JsonObject } from "../../../../src/contract/json.ts";
import { compilePolicy } from "../../../../src/policy/engine/compiled-policy.ts";
import { createNdBuiltinCache } from "../../../../src/policy/engine/nd-builtin-cache.ts";
import { openPolicyInstance } from "../../../../src/policy/engine/policy-instance.ts";
import { compileBundle, evalDecision } from "../policies.ts";

const decision = z.object({
  warn: z.array(z.object({ details: z.tuple([z.number(), z.string()]) })),
});

export interface BothAnswers {
  /** JSON texts by the place of their call; undefined where the call is. */
  readonly ours: readonly (string | undefined)[];
  readonly opas: readonly (string | undefined)[];
}

/**
 * Asks both.
 *
 * @param calls Rego expressions; `cases` is an object with `data`.
 */
export async function askBoth(
  calls: readonly string[],
  data: JsonObject = {},
  timeMs = Date.now(),
): Promise<BothAnswers> {
  const rules = calls.map(
    (call, place) =>
      `warn contains {"code": "c", "details": [${place}, json.marshal(${call})]} if true`,
  );
  const rego = ["cases := data.p.builtins.given", ...rules].join("\n\n");
  const source = { name: "builtins", kind: "workflow", rego, data: { given: data } } as const;
  const bundle = await compileBundle(source);
  const instance = await openPolicyInstance(
    await compilePolicy(bundle.wasm, 1024),
    Buffer.from(bundle.dataJson),
  );
  const id = instance.entrypoints.get(bundle.entrypoints.decision) ?? -1;
  const context = { timeMs, seed: "seed", ndBuiltinCache: createNdBuiltinCache() };
  const [{ result }] = JSON.parse(instance.evaluate(id, Buffer.from("{}"), context));
  const answersOf = (answer: unknown): readonly (string | undefined)[] => {
    const texts = new Map(decision.parse(answer).warn.map(({ details }) => details));
    return calls.map((_, place) => canonical(texts.get(place)));
  };
  return { ours: answersOf(result), opas: answersOf(await evalDecision(source, {})) };
}

/** One text for members in any order, with every digit of numbers. */
function canonical(text: string | undefined): string | undefined {
  const marked = text?.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) =>
    token.startsWith('"') ? token : `{"number":"${token}"}`,
  );
  return marked === undefined ? undefined : JSON.stringify(sorted(JSON.parse(marked)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}
