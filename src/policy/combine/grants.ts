/**
 * Grants: only the bundle of the action's own server gives them, only for action types its rule
 * names, and only within what the operator lets that server grant.
 */
import type { LayerVerdict, RuleMatch } from "../../contract/layer.ts";
import type { CombineRequest, FromLayer } from "./combined-decision.ts";
import { byCode } from "./layer-order.ts";
import { matchesToolPattern } from "./match-pattern.ts";

/** The grants that count. */
export function grantsOf(
  verdicts: readonly LayerVerdict[],
  request: CombineRequest,
): readonly FromLayer<RuleMatch>[] {
  if (!isWithinCeiling(request)) return [];
  const servers = verdicts.filter(
    ({ layer }) => layer.kind === "server" && layer.name === request.action.server,
  );
  return servers.flatMap((verdict) =>
    verdict.ok
      ? byCode(verdict.output.allow)
          .filter((match) => isGrantOf(match, request.action.type))
          .map((match) => ({ layer: verdict.layer, match }))
      : [],
  );
}

function isGrantOf(match: RuleMatch, actionType: string): boolean {
  return actionType === "tool_call" || match.actions.includes(actionType);
}

function isWithinCeiling({ serverCeiling, action }: CombineRequest): boolean {
  if (serverCeiling === undefined) return true;
  return serverCeiling.some((pattern) => matchesToolPattern(pattern, action.server, action.tool));
}
