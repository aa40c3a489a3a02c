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
  Waiver,
} from "../contract/layer.ts";
import { buildAnswer } from "./combine/build-answer.ts";
import type { CombinedDecision, CombineRequest, FromLayer } from "./combine/combined-decision.ts";
import { denialsOf, gatewayMatch } from "./combine/denials.ts";
import { grantsOf } from "./combine/grants.ts";
import { hidingOf } from "./combine/is-hidden.ts";
import { inLayerOrder } from "./combine/layer-order.ts";
import { liftDenials } from "./combine/waivers.ts";

export type { CombinedDecision, CombineRequest };

/** Makes one answer of all verdicts: hidden, denied, held, granted, else not allowed. */
export function combine(request: CombineRequest): CombinedDecision {
  const verdicts = inLayerOrder(request.verdicts);

  const hiding = hidingOf(verdicts, request);
  if (hiding.length > 0) return deny(request, verdicts, { hidden: true, denials: hiding });

  const lifted = liftDenials(
    denialsOf(verdicts, request.knownObligations),
    verdicts,
    request.nowMs,
  );
  if (lifted.denials.length > 0) return deny(request, verdicts, lifted);

  const holds = unsatisfiedApprovals(verdicts, request);
  if (holds.length > 0) return hold(request, verdicts, { ...lifted, holds });

  const grants = grantsOf(verdicts, request);
  if (grants.length > 0) return allow(request, verdicts, { ...lifted, grants });

  return deny(request, verdicts, { ...lifted, denials: [notAllowed(verdicts, request)] });
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

interface Findings {
  readonly hidden?: boolean;
  readonly denials?: readonly FromLayer<RuleMatch>[];
  readonly holds?: readonly FromLayer<ApprovalRequest>[];
  readonly grants?: readonly FromLayer<RuleMatch>[];
  readonly usedWaivers?: readonly Waiver[];
  readonly expiredWaivers?: readonly Waiver[];
}

function deny(
  request: Pick<CombineRequest, "decisionId">,
  verdicts: readonly LayerVerdict[],
  findings: Findings,
): CombinedDecision {
  const denials = findings.denials ?? [];
  const reasons = [...new Set(denials.map((denial) => denial.match.code))];
  const answer = buildAnswer(request, verdicts, { effect: "deny", reasons, deciding: denials });
  return { ...concluded(answer, findings), hidden: findings.hidden ?? false, denials };
}

function hold(
  request: CombineRequest,
  verdicts: readonly LayerVerdict[],
  findings: Findings,
): CombinedDecision {
  const holds = findings.holds ?? [];
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

function concluded(answer: DecisionAnswer, findings: Findings): CombinedDecision {
  return {
    hidden: false,
    answer,
    denials: [],
    holds: [],
    usedWaivers: findings.usedWaivers ?? [],
    expiredWaivers: findings.expiredWaivers ?? [],
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
  const layer = server?.layer ?? noLayer(request.action.server);
  return { layer, match: gatewayMatch("no_rule_allows") };
}

/** Stands for the bundle that a server does not have. */
function noLayer(server: string): LayerIdentity {
  return { name: server, kind: "server", revision: "", digest: "" };
}
