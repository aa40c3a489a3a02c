/**
 * Step 4: what the agent may see, then every layer in one round trip, and what they said combined.
 */
import type { InputParts } from "../contract/policy-input.ts";
import type { LayerVerdict } from "../contract/layer.ts";
import type { CombinedDecision } from "../policy/combine.ts";
import { combine } from "../policy/combine.ts";
import type { Call, Decided, Target } from "./call.ts";
import type { GatewayParts } from "./parts.ts";
import type { Sight } from "./visibility.ts";

/** No obligation can be carried out yet, so each one denies. */
const knownObligations: ReadonlySet<string> = new Set();

/** Asks the policy decision point; whatever goes wrong in there is a denial in the answer. */
export async function decide(
  parts: GatewayParts,
  call: Call,
  target: Target,
  input: InputParts,
): Promise<Decided> {
  const sight = await parts.visibility.of(target.tool);
  if (!sight.isVisible) return hidden(parts, call, target, sight);
  const decision = await parts.engine.decide({
    server: target.server.id,
    parts: input,
    timeMs: call.timeMs,
  });
  return {
    combined: combineAll(parts, call, target, decision.verdicts.map(withoutHiding)),
    verdicts: decision.verdicts,
    inputJson: decision.inputJson,
    brings: { dataClasses: decision.dataClasses, labels: decision.labels },
    policyMs: decision.evalMs,
  };
}

/** The call's own arguments are not judged: they must not tell a hidden tool from an unknown one. */
function hidden(parts: GatewayParts, call: Call, target: Target, sight: Sight): Decided {
  const { verdicts, inputJson } = sight;
  return {
    combined: { ...combineAll(parts, call, target, verdicts), hidden: true },
    verdicts,
    inputJson,
    brings: { dataClasses: [], labels: [] },
    policyMs: 0,
  };
}

/** Whether a tool is visible was decided on the list-phase input, and nowhere else. */
function withoutHiding(verdict: LayerVerdict): LayerVerdict {
  if (!verdict.ok) return verdict;
  return { ...verdict, output: { ...verdict.output, hide: [], capabilities: undefined } };
}

function combineAll(
  { config }: GatewayParts,
  call: Call,
  { tool, server }: Target,
  verdicts: readonly LayerVerdict[],
): CombinedDecision {
  return combine({
    decisionId: call.decisionId,
    action: { type: "tool_call", server: server.id, tool: tool.name },
    scope: config.agent.scope,
    verdicts,
    nowMs: call.timeMs,
    serverCeiling: server.ceiling,
    isApproved: () => false,
    knownObligations,
  });
}
