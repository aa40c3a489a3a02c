/**
 * Step 4: every layer is asked in one round trip, and what they said is combined.
 */
import type { InputParts } from "../contract/policy-input.ts";
import { combine } from "../policy/combine.ts";
import type { Call, Decided, Target } from "./call.ts";
import type { GatewayParts } from "./parts.ts";

/** No obligation can be carried out yet, so each one denies. */
const knownObligations: ReadonlySet<string> = new Set();

/** Asks the policy decision point; whatever goes wrong in there is a denial in the answer. */
export async function decide(
  parts: GatewayParts,
  call: Call,
  { tool, server }: Target,
  input: InputParts,
): Promise<Decided> {
  const decision = await parts.engine.decide({
    server: server.id,
    parts: input,
    timeMs: call.timeMs,
  });
  const combined = combine({
    decisionId: call.decisionId,
    action: { type: "tool_call", server: server.id, tool: tool.name },
    scope: parts.config.agent.scope,
    verdicts: decision.verdicts,
    nowMs: call.timeMs,
    serverCeiling: server.ceiling,
    serverDefault: undefined,
    isApproved: () => false,
    knownObligations,
  });
  return {
    combined,
    verdicts: decision.verdicts,
    inputJson: decision.inputJson,
    brings: { dataClasses: decision.dataClasses, labels: decision.labels },
    policyMs: decision.evalMs,
  };
}
