/**
 * The conflict rules, once. `combine` takes what every layer said about one action and makes the
 * answer out of it, in the five steps of the policy contract and in their order. It is a pure
 * function: no layer is asked here, no clock is read, nothing is sent. What an answer looks like on
 * the wire is for enforcement; who may see which part of it, too.
 */
import type { DecisionAnswer } from "../contract/answer.ts";
import type {
  ApprovalRequest,
  GatewayCode,
  LayerIdentity,
  LayerVerdict,
  RuleMatch,
} from "../contract/layer.ts";
import { isGatewayCode } from "../contract/layer.ts";
import { buildAnswer } from "./combine/build-answer.ts";
import type { CombinedDecision, CombineRequest, FromLayer } from "./combine/combined-decision.ts";
import { denialsOf, gatewayMatch } from "./combine/denials.ts";
import { grantsOf, refusingCanary } from "./combine/grants.ts";
import { hidingOf } from "./combine/is-hidden.ts";
import { inLayerOrder } from "./combine/layer-order.ts";
import { liftDenials } from "./combine/waivers.ts";
import type { LiftedDenials } from "./combine/waivers.ts";

export type { CombinedDecision, CombineRequest };

/** Makes one answer of all verdicts: hidden, denied, held, granted, else not allowed. */
export function combine(request: CombineRequest): CombinedDecision {
  const verdicts = inLayerOrder(request.verdicts);

  const hiding = hidingOf(verdicts, request);
  if (hiding.length > 0) return deny(request, verdicts, { hidden: true, denials: hiding });

  const denials = denialsOf(verdicts, request.canFulfil);
  const lifted = liftDenials(denials, verdicts, request);
  const holds = unsatisfiedApprovals(verdicts, request);
  const said = conclude(request, verdicts, { holds, ...lifted });
  if (said.answer.allow) return said;

  const enforced = conclude(request, verdicts, {
    ...lifted,
    denials: lifted.denials.filter((denial) => isEnforced(request, denial)),
    holds: holds.filter((hold) => isEnforced(request, hold)),
  });
  return enforced.answer.allow ? letThrough(said) : enforced;
}

/** Steps 2 to 5, on the denials that no waiver lifts and the approvals that are not there. */
function conclude(
  request: CombineRequest,
  verdicts: readonly LayerVerdict[],
  findings: Findings,
): CombinedDecision {
  if (findings.denials.length > 0) return deny(request, verdicts, findings);
  const grants = grantsOf(verdicts, request);
  // What nobody grants is not put before people because a canary wants them asked.
  const holds = grants.length > 0 ? findings.holds : findings.holds.filter(isOfLayer);
  if (holds.length > 0) return hold(request, verdicts, { ...findings, holds });

  if (grants.length > 0) return allow(request, verdicts, { grants, ...findings });

  return deny(request, verdicts, { ...findings, denials: [notAllowed(verdicts, request)] });
}

function isOfLayer({ layer }: FromLayer<RuleMatch>): boolean {
  return layer.canaryOf === undefined;
}

/** What the gateway itself refuses is enforced, whoever the layer is. */
function isEnforced(
  { isObserved }: CombineRequest,
  { layer, match }: FromLayer<RuleMatch>,
): boolean {
  return isObserved?.(layer) !== true || isGatewayCode(match.code);
}

/** The record says what would have been; nothing stands in the way. */
function letThrough(said: CombinedDecision): CombinedDecision {
  const answer = { ...said.answer, allow: true, enforced: false };
  return { ...said, answer, denials: [], holds: [] };
}

/**
 * What the layers say to a result: it needs no grant and waits for nobody, but a denial that no valid
 * waiver lifts refuses it.
 */
export function combineResult(request: CombineRequest): CombinedDecision {
  const verdicts = inLayerOrder(request.verdicts);
  const lifted = liftDenials(denialsOf(verdicts, request.canFulfil), verdicts, request);
  const denials = lifted.denials.filter((denial) => isEnforced(request, denial));
  if (denials.length > 0) return deny(request, verdicts, { ...lifted, denials });
  return allow(request, verdicts, { ...lifted, holds: [] });
}

/**
 * A denial with one of the gateway's own codes, where no layer could be asked or heard; `message`
 * says more about this one action.
 */
export function gatewayDenial(
  decisionId: string,
  code: GatewayCode,
  message?: string,
): CombinedDecision {
  const match = { ...gatewayMatch(code), message };
  const denials = [{ layer: noLayer(""), match }];
  return deny({ decisionId }, [], { denials });
}

interface Findings extends LiftedDenials {
  readonly holds: readonly FromLayer<ApprovalRequest>[];
  readonly hidden?: boolean;
  readonly grants?: readonly FromLayer<RuleMatch>[];
}

type Denied = Pick<Findings, "denials"> & Partial<Findings>;

function deny(
  request: Pick<CombineRequest, "decisionId">,
  verdicts: readonly LayerVerdict[],
  findings: Denied,
): CombinedDecision {
  const { denials } = findings;
  const reasons = [...new Set(denials.map((denial) => denial.match.code))];
  const answer = buildAnswer(request, verdicts, { effect: "deny", reasons, deciding: denials });
  return { ...concluded(answer, findings), hidden: findings.hidden ?? false, denials };
}

function hold(
  request: CombineRequest,
  verdicts: readonly LayerVerdict[],
  findings: Findings,
): CombinedDecision {
  const { holds } = findings;
  const reasons = ["approval_required"];
  const answer = buildAnswer(request, verdicts, { effect: "hold", reasons, deciding: holds });
  return { ...concluded(answer, findings), holds };
}

function allow(
  request: CombineRequest,
  verdicts: readonly LayerVerdict[],
  findings: Findings,
): CombinedDecision {
  const deciding = findings.grants ?? [];
  const answer = buildAnswer(request, verdicts, { effect: "allow", reasons: [], deciding });
  return concluded(answer, findings);
}

function concluded(answer: DecisionAnswer, findings: Partial<LiftedDenials>): CombinedDecision {
  return {
    hidden: false,
    answer,
    denials: [],
    holds: [],
    usedWaivers: findings.usedWaivers ?? [],
    expiredWaivers: findings.expiredWaivers ?? [],
    voidWaivers: findings.voidWaivers ?? [],
  };
}

function unsatisfiedApprovals(
  verdicts: readonly LayerVerdict[],
  request: CombineRequest,
): readonly FromLayer<ApprovalRequest>[] {
  return verdicts.flatMap((verdict) =>
    verdict.ok
      ? verdict.output.requireApproval
          .filter((match) => !request.isApproved(verdict.layer, match))
          .map((match) => ({ layer: verdict.layer, match }))
      : [],
  );
}

function notAllowed(
  verdicts: readonly LayerVerdict[],
  request: CombineRequest,
): FromLayer<RuleMatch> {
  const server = verdicts.find((verdict) => verdict.layer.kind === "server");
  // Where its layer grants too, it is the canary that does not.
  const layer =
    onlyCanaryRefuses(verdicts, request) ?? server?.layer ?? noLayer(request.action.server);
  return { layer, match: gatewayMatch("no_rule_allows") };
}

function onlyCanaryRefuses(
  verdicts: readonly LayerVerdict[],
  request: CombineRequest,
): LayerIdentity | undefined {
  const layers = verdicts.filter(({ layer }) => layer.canaryOf === undefined);
  return grantsOf(layers, request).length > 0 ? refusingCanary(verdicts, request) : undefined;
}

/** Stands for the bundle that a server does not have. */
function noLayer(server: string): LayerIdentity {
  return { name: server, kind: "server", revision: "", digest: "" };
}
