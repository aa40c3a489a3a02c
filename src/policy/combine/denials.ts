/**
 * What speaks against an action: rules that refuse or hide it, layers that gave no answer, and
 * obligations that nobody could carry out. Which of these a waiver may lift is decided elsewhere.
 */
import type { GatewayCode, LayerOutput, LayerVerdict, RuleMatch } from "../../contract/layer.ts";
import { gatewaySentences } from "./gateway-sentences.ts";
import type { CombineRequest, FromLayer } from "./combined-decision.ts";
import { byCode } from "./layer-order.ts";

/** Every denial of every layer, before waivers. */
export function denialsOf(
  verdicts: readonly LayerVerdict[],
  canFulfil: CombineRequest["canFulfil"],
): readonly FromLayer<RuleMatch>[] {
  return verdicts.flatMap((verdict) => {
    const matches = verdict.ok
      ? denialsOfOutput(verdict.output, canFulfil)
      : [gatewayMatch(verdict.code)];
    return byCode(matches).map((match) => ({ layer: verdict.layer, match }));
  });
}

/** Every rule that hides the action; the code of them all is the gateway's `tool_hidden`. */
export function hidesOf(verdicts: readonly LayerVerdict[]): readonly FromLayer<RuleMatch>[] {
  return verdicts.flatMap((verdict) => {
    if (!verdict.ok) return [];
    return byCode(verdict.output.hide).map((match) => ({
      layer: verdict.layer,
      match: { ...match, code: "tool_hidden" },
    }));
  });
}

/** A denial of the gateway itself: no author, no waiver, one sentence. */
export function gatewayMatch(code: GatewayCode): RuleMatch {
  return {
    rule: `gateway.${code}`,
    code,
    title: gatewaySentences[code],
    description: undefined,
    severity: undefined,
    remediation: undefined,
    appeal: undefined,
    alternatives: [],
    overridable: false,
    disclose: "text",
    audit: false,
    owner: undefined,
    actions: [],
    message: undefined,
    details: undefined,
  };
}

function denialsOfOutput(
  output: LayerOutput,
  canFulfil: CombineRequest["canFulfil"],
): readonly RuleMatch[] {
  const unknown = output.obligations.some((obligation) => !canFulfil(obligation));
  return unknown ? [...output.deny, gatewayMatch("unknown_obligation")] : output.deny;
}
