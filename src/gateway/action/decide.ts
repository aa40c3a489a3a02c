/**
 * Step 4: what the agent may see, then every layer in one round trip, and what they said combined.
 */
import type { InputParts } from "../../contract/policy-input.ts";
import type { LayerVerdict } from "../../contract/layer.ts";
import { isMet } from "../../policy/approvals/approval-grant.ts";
import type { CombinedDecision, CombineRequest } from "../../policy/combine.ts";
import { combine, gatewayDenial } from "../../policy/combine.ts";
import type { CatalogTool } from "../../mcp/catalog/catalog-item.ts";
import type { ArgumentCheck, ArgumentCheckRequest } from "../../policy/engine/policy-engine.ts";
import { isObserved } from "../policies/is-observed.ts";
import { isDueTo } from "../canaries/is-due-to.ts";
import { isReleasedTool } from "../fleet/release-standing.ts";
import type { GatewayParts } from "../parts.ts";
import type { Sight } from "../visibility.ts";
import { subjectName } from "../visibility.ts";
import type { Action, Decided, Target } from "./action.ts";
import type { DutyReader } from "./open-duties.ts";
import { noDuties, openDuties } from "./open-duties.ts";
import { refusal } from "./refuse.ts";

/** What a decision needs of a gateway: the tests of a whole stack have no more. */
export type DecidingParts = Pick<GatewayParts, "config" | "engine" | "visibility" | "canaries">;

/**
 * Asks the policy decision point; whatever goes wrong in there is a denial in the answer. Where other
 * bundles came to decide between the two questions, both are asked again: one set decides.
 */
export async function decide(
  parts: DecidingParts,
  action: Action,
  target: Target,
  input: InputParts,
): Promise<Decided> {
  for (;;) {
    const { version } = parts.visibility;
    const decided = await decideOnce(parts, action, target, input);
    if (version === parts.visibility.version) return decided;
  }
}

async function decideOnce(
  parts: DecidingParts,
  action: Action,
  target: Target,
  input: InputParts,
): Promise<Decided> {
  const sight = await parts.visibility.of(action.principal, target.seenAs);
  if (!sight.isVisible) return hidden(parts, action, target, sight);
  const { tool } = target;
  if (tool?.isChanged === true) {
    const isReleased = isReleasedTool(target.server.release, tool);
    return refusal(parts, action, target, isReleased ? "tool_changed" : "release_mismatch");
  }
  const isCall = action.type === "tool_call";
  const decision = await parts.engine.decide({
    server: target.server.id,
    unasked: parts.canaries.unasked(action.principal, target.server.id),
    parts: input,
    timeMs: action.timeMs,
    seed: action.decisionId,
    ...(isCall && tool !== undefined ? { check: checkOf(tool, action) } : {}),
  });
  const { verdicts, inputJson, dataClasses, labels, evalMs, layerMs, argumentCheck } = decision;
  const duties = await openDuties(parts.config, verdicts);
  const said = combineRequest(parts, action, target, verdicts.map(withoutHiding), duties);
  const combined = combine(said);
  parts.canaries.note(
    action.principal,
    decision.canaries,
    (canary) => isDenied(combined) && isDueTo(canary, said, combine),
  );
  return {
    combined: enforceDefinition(action, combined, argumentCheck),
    verdicts,
    inputJson,
    ndBuiltinCacheJson: decision.ndBuiltinCacheJson,
    brings: { dataClasses, labels },
    input,
    policyMs: evalMs,
    layerMs,
  };
}

/** The arguments themselves are not judged: they must not tell a hidden tool from an unknown one. */
export function hidden(
  parts: DecidingParts,
  action: Action,
  target: Target,
  sight: Sight,
): Decided {
  const { verdicts, inputJson, code } = sight;
  const combined =
    code === undefined
      ? combine(combineRequest(parts, action, target, verdicts, noDuties))
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
  const { parentCapabilities: _, ...output } = verdict.output;
  return { ...verdict, output: { ...output, hide: [], capabilities: undefined } };
}

/** What combining has to know of an action beside what the layers said. */
export function combineRequest(
  { config }: Pick<DecidingParts, "config">,
  action: Action,
  { server, name, tool }: Target,
  verdicts: readonly LayerVerdict[],
  duties: DutyReader,
): CombineRequest {
  // A task goes by the tool that made it; its own id is the server's to choose.
  const subject = subjectName(action.type, tool?.name ?? name);
  return {
    decisionId: action.decisionId,
    action: { type: action.type, server: server.id, tool: subject },
    scope: action.principal.agent.scope,
    verdicts,
    nowMs: action.timeMs,
    serverCeiling: server.ceiling,
    isApproved: (layer, match) => isMet(action.approval, layer, match),
    canFulfil: (obligation) => duties.problemOf(action.type, obligation) === undefined,
    maxWaivers: config.maxWaivers,
    isObserved: (layer) => isObserved(config, layer, action.timeMs),
  };
}

/** What the gateway itself checks of an action that policy does not refuse. */
function enforceDefinition(
  action: Action,
  combined: CombinedDecision,
  check: ArgumentCheck | undefined,
): CombinedDecision {
  if (check === undefined || check.ok || isDenied(combined)) return combined;
  return gatewayDenial(action.decisionId, check.code, check.message);
}

/** Where a layer is only observed the effect may be a denial that is not enforced. */
function isDenied({ answer: { allow, effect } }: CombinedDecision): boolean {
  return !allow && effect === "deny";
}

const schemaTexts = new WeakMap<CatalogTool, string>();

/** The definition is the pinned one: a changed tool is denied before. */
function checkOf(tool: CatalogTool, { sent }: Action): ArgumentCheckRequest {
  const schemaJson = schemaTexts.get(tool) ?? JSON.stringify(tool.inputSchema);
  schemaTexts.set(tool, schemaJson);
  return { schemaJson, schemaDigest: tool.digest, argumentsJson: sent["args"] ?? "{}" };
}
