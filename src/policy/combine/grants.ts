/**
 * Grants: only the bundle of the action's own server gives them, only for action types its rule
 * names, and only within what the operator lets that server grant. Where a canary of that bundle is
 * asked too, both have to.
 */
import type { LayerIdentity, LayerVerdict, RuleMatch } from "../../contract/layer.ts";
import { baseName } from "../../contract/layer.ts";
import type { CombineRequest, FromLayer } from "./combined-decision.ts";
import { byCode } from "./layer-order.ts";
import { matchesToolPattern } from "./match-pattern.ts";

/** The grants that count. */
export function grantsOf(
  verdicts: readonly LayerVerdict[],
  request: CombineRequest,
): readonly FromLayer<RuleMatch>[] {
  if (!isWithinCeiling(request)) return [];
  if (refusingCanary(verdicts, request) !== undefined) return [];
  return verdicts
    .filter(({ layer }) => isOfServer(layer, request) && layer.canaryOf === undefined)
    .flatMap((verdict) => grantsIn(verdict, request));
}

/** A canary of the server's bundle that grants nothing. */
export function refusingCanary(
  verdicts: readonly LayerVerdict[],
  request: Pick<CombineRequest, "action">,
): LayerIdentity | undefined {
  return verdicts.find(
    (verdict) =>
      isOfServer(verdict.layer, request) &&
      verdict.layer.canaryOf !== undefined &&
      grantsIn(verdict, request).length === 0,
  )?.layer;
}

function isOfServer(layer: LayerIdentity, { action }: Pick<CombineRequest, "action">): boolean {
  return layer.kind === "server" && baseName(layer) === action.server;
}

function grantsIn(
  verdict: LayerVerdict,
  { action }: Pick<CombineRequest, "action">,
): readonly FromLayer<RuleMatch>[] {
  if (!verdict.ok) return [];
  return byCode(verdict.output.allow)
    .filter((match) => isGrantOf(match, action.type))
    .map((match) => ({ layer: verdict.layer, match }));
}

function isGrantOf(match: RuleMatch, actionType: string): boolean {
  return actionType === "tool_call" || match.actions.includes(actionType);
}

function isWithinCeiling({ serverCeiling, action }: CombineRequest): boolean {
  if (serverCeiling === undefined) return true;
  return serverCeiling.some((pattern) => matchesToolPattern(pattern, action.server, action.tool));
}
