/**
 * Step 4: what the agent may see, then every layer in one round trip, and what they said combined.
 */
import type { InputParts } from "../../contract/policy-input.ts";
import type { LayerVerdict } from "../../contract/layer.ts";
import type { CombinedDecision } from "../../policy/combine.ts";
import { combine, gatewayDenial } from "../../policy/combine.ts";
import type { CatalogTool } from "../../mcp/catalog/catalog-item.ts";
import type { ArgumentCheck, ArgumentCheckRequest } from "../../policy/engine/policy-engine.ts";
import type { GatewayParts } from "../parts.ts";
import type { Sight } from "../visibility.ts";
import { subjectName } from "../visibility.ts";
import type { Action, Decided, Target } from "./action.ts";
import { refusal } from "./refuse.ts";

/** No obligation can be carried out yet, so each one denies. */
const knownObligations: ReadonlySet<string> = new Set();

/** Asks the policy decision point; whatever goes wrong in there is a denial in the answer. */
export async function decide(
  parts: GatewayParts,
  action: Action,
  target: Target,
  input: InputParts,
): Promise<Decided> {
  const sight = await parts.visibility.of(action.principal, target.seenAs);
  if (!sight.isVisible) return hidden(action, target, sight);
  const { tool } = target;
  if (tool?.isChanged === true) return refusal(parts, action, target, "tool_changed");
  const isCall = action.type === "tool_call";
  const decision = await parts.engine.decide({
    server: target.server.id,
    parts: input,
    timeMs: action.timeMs,
    ...(isCall && tool !== undefined ? { check: checkOf(tool, action) } : {}),
  });
  const { verdicts, inputJson, dataClasses, labels, evalMs, argumentCheck } = decision;
  const combined = combineAll(action, target, verdicts.map(withoutHiding));
  return {
    combined: enforceDefinition(action, combined, argumentCheck),
    verdicts,
    inputJson,
    brings: { dataClasses, labels },
    policyMs: evalMs,
  };
}

/** The arguments themselves are not judged: they must not tell a hidden tool from an unknown one. */
function hidden(action: Action, target: Target, sight: Sight): Decided {
  const { verdicts, inputJson, code } = sight;
  const combined =
    code === undefined
      ? combineAll(action, target, verdicts)
      : gatewayDenial(action.decisionId, code);
  return {
    combined: { ...combined, hidden: true },
    verdicts,
    inputJson,
    brings: { dataClasses: [], labels: [] },
    policyMs: 0,
  };
}

/** Whether something is visible was decided on the list-phase input, and nowhere else. */
function withoutHiding(verdict: LayerVerdict): LayerVerdict {
  if (!verdict.ok) return verdict;
  return { ...verdict, output: { ...verdict.output, hide: [], capabilities: undefined } };
}

function combineAll(
  action: Action,
  { server, name, tool }: Target,
  verdicts: readonly LayerVerdict[],
): CombinedDecision {
  // A task goes by the tool that made it; its own id is the server's to choose.
  const subject = subjectName(action.type, tool?.name ?? name);
  return combine({
    decisionId: action.decisionId,
    action: { type: action.type, server: server.id, tool: subject },
    scope: action.principal.agent.scope,
    verdicts,
    nowMs: action.timeMs,
    serverCeiling: server.ceiling,
    isApproved: () => false,
    knownObligations,
  });
}

/** What the gateway itself checks of an action that policy does not refuse. */
function enforceDefinition(
  action: Action,
  combined: CombinedDecision,
  check: ArgumentCheck | undefined,
): CombinedDecision {
  if (check === undefined || check.ok || combined.answer.effect === "deny") return combined;
  return gatewayDenial(action.decisionId, check.code, check.message);
}

const schemaTexts = new WeakMap<CatalogTool, string>();

/** The definition is the pinned one: a changed tool is denied before. */
function checkOf(tool: CatalogTool, { sent }: Action): ArgumentCheckRequest {
  const schemaJson = schemaTexts.get(tool) ?? JSON.stringify(tool.inputSchema);
  schemaTexts.set(tool, schemaJson);
  return { schemaJson, schemaDigest: tool.digest, argumentsJson: sent["args"] ?? "{}" };
}
