/**
 * The conflict rules, once. `combine` takes what every layer said about one action and makes the
 * answer out of it, in the five steps of the policy contract and in their order. It is a pure
 * function: no layer is asked here, no clock is read, nothing is sent. What an answer looks like on
 * the wire is for enforcement; who may see which part of it, too.
 */
import type { DecisionAnswer } from "../contract/answer.ts";
import type { ApprovalRequest, LayerVerdict, RuleMatch, Waiver } from "../contract/layer.ts";
import { buildAnswer } from "./combine/build-answer.ts";
import { outsideCapabilities } from "./combine/capabilities.ts";
import type { CombinedDecision, CombineRequest, FromLayer } from "./combine/combined-decision.ts";
import { denialsOf, gatewayMatch, hidesOf } from "./combine/denials.ts";
import { grantsOf } from "./combine/grants.ts";
import { inLayerOrder } from "./combine/layer-order.ts";
import { liftDenials } from "./combine/waivers.ts";

export type { CombinedDecision, CombineRequest };

/** Makes one answer of all verdicts: hidden, denied, held, granted, else not allowed. */
export function combine(request: CombineRequest): CombinedDecision {
  const verdicts = inLayerOrder(request.verdicts);

  const hiding = [...hidesOf(verdicts), ...outsideCapabilities(verdicts, request)];
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
  if (grants !== undefined) return allow(request, verdicts, { ...lifted, grants });

  return deny(request, verdicts, { ...lifted, denials: [notAllowed(verdicts, request)] });
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
  request: CombineRequest,
  verdicts: readonly LayerVerdict[],
  findings: Findings,
): CombinedDecision {
  const denials = findings.denials ?? [];
  const reasons = [...new Set(denials.map((denial) => denial.match.code))];
  const answer = buildAnswer(request, verdicts, { effect: "deny", reasons, deciding: denials });
  return { ...concluded(answer, verdicts, findings), hidden: findings.hidden ?? false, denials };
}

function hold(
  request: CombineRequest,
  verdicts: readonly LayerVerdict[],
  findings: Findings,
): CombinedDecision {
  const holds = findings.holds ?? [];
  const reasons = ["approval_required"];
  const answer = buildAnswer(request, verdicts, { effect: "hold", reasons, deciding: holds });
  return { ...concluded(answer, verdicts, findings), holds };
}

function allow(
  request: CombineRequest,
  verdicts: readonly LayerVerdict[],
  findings: Findings,
): CombinedDecision {
  const deciding = findings.grants ?? [];
  const answer = buildAnswer(request, verdicts, { effect: "allow", reasons: [], deciding });
  const obligations = verdicts.flatMap((verdict) =>
    verdict.ok ? verdict.output.obligations.map((match) => ({ layer: verdict.layer, match })) : [],
  );
  return { ...concluded(answer, verdicts, findings), obligations };
}

function concluded(
  answer: DecisionAnswer,
  verdicts: readonly LayerVerdict[],
  findings: Findings,
): CombinedDecision {
  return {
    hidden: false,
    answer,
    denials: [],
    holds: [],
    usedWaivers: findings.usedWaivers ?? [],
    expiredWaivers: findings.expiredWaivers ?? [],
    obligations: [],
    warnings: verdicts.flatMap((verdict) =>
      verdict.ok ? verdict.output.warn.map((match) => ({ layer: verdict.layer, match })) : [],
    ),
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
  const layer = server?.layer ?? {
    name: request.action.server,
    kind: "server",
    revision: "",
    digest: "",
  };
  return { layer, match: gatewayMatch("no_rule_allows") };
}
