/**
 * Waivers of the overrides layer: each lifts the denials of one rule of one bundle, for a stated
 * reason and until a stated time. Nothing that the gateway itself refuses is ever lifted, and
 * nothing whose author did not mark it `overridable`.
 */
import { isGatewayCode } from "../../contract/layer.ts";
import type { LayerVerdict, RuleMatch, Waiver } from "../../contract/layer.ts";
import type { FromLayer } from "./combined-decision.ts";

export interface LiftedDenials {
  /** The denials that stand. */
  readonly denials: readonly FromLayer<RuleMatch>[];
  readonly usedWaivers: readonly Waiver[];
  /** Those that would have lifted a standing denial, had they not run out. */
  readonly expiredWaivers: readonly Waiver[];
}

/** RFC 3339 §5.6, with the offset that makes it one moment. */
const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/iu;

/** Takes away what a valid waiver lifts, and says which waivers did and which came too late. */
export function liftDenials(
  denials: readonly FromLayer<RuleMatch>[],
  verdicts: readonly LayerVerdict[],
  nowMs: number,
): LiftedDenials {
  const waivers = waiversOf(verdicts);
  const valid = waivers.filter((waiver) => isInForce(waiver, nowMs));
  const isLifted = (denial: FromLayer<RuleMatch>): boolean =>
    valid.some((waiver) => lifts(waiver, denial));
  const standing = denials.filter((denial) => !isLifted(denial));
  return {
    denials: standing,
    usedWaivers: valid.filter((waiver) => denials.some((denial) => lifts(waiver, denial))),
    expiredWaivers: waivers.filter(
      (waiver) => !valid.includes(waiver) && standing.some((denial) => lifts(waiver, denial)),
    ),
  };
}

/** True for a moment that RFC 3339 can write and a clock can reach. */
export function isRfc3339(text: string): boolean {
  return rfc3339.test(text) && !Number.isNaN(Date.parse(text));
}

function waiversOf(verdicts: readonly LayerVerdict[]): readonly Waiver[] {
  return verdicts.flatMap((verdict) =>
    verdict.ok && verdict.layer.kind === "overrides" ? verdict.output.waive : [],
  );
}

function isInForce({ expires }: Waiver, nowMs: number): boolean {
  return isRfc3339(expires) && Date.parse(expires) > nowMs;
}

function lifts(waiver: Waiver, { layer, match }: FromLayer<RuleMatch>): boolean {
  return (
    match.overridable &&
    !isGatewayCode(match.code) &&
    waiver.justification.trim() !== "" &&
    waiver.bundle === layer.name &&
    waiver.rule === match.rule
  );
}
