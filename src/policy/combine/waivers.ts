/**
 * Waivers of the overrides layer: each lifts the denials of one rule of one bundle, for a stated
 * reason and until a stated time. Nothing that the gateway itself refuses is ever lifted, nothing
 * whose author did not mark it `overridable`, and nothing by more waivers than the operator wants.
 */
import { isGatewayCode } from "../../contract/layer.ts";
import type { LayerVerdict, RuleMatch, Waiver } from "../../contract/layer.ts";
import { parseRfc3339Ms } from "../../contract/rfc3339.ts";
import type { CombineRequest, FromLayer } from "./combined-decision.ts";
import { compareText } from "./layer-order.ts";

export interface LiftedDenials {
  /** The denials that stand. */
  readonly denials: readonly FromLayer<RuleMatch>[];
  readonly usedWaivers: readonly Waiver[];
  /** Those that would have lifted a standing denial, had they not run out. */
  readonly expiredWaivers: readonly Waiver[];
  /** Those that are not whole, and those over the operator's number. */
  readonly voidWaivers: readonly Waiver[];
}

/** Takes away what a valid waiver lifts, and says which waivers did and which could not. */
export function liftDenials(
  denials: readonly FromLayer<RuleMatch>[],
  verdicts: readonly LayerVerdict[],
  { nowMs, maxWaivers }: Pick<CombineRequest, "nowMs" | "maxWaivers">,
): LiftedDenials {
  const offered = waiversOf(verdicts);
  const whole = offered.filter(({ problem }) => problem === undefined);
  const inForce = byName(whole.filter((waiver) => isInForce(waiver, nowMs)));
  const valid = inForce.slice(0, maxWaivers);
  const isLifted = (denial: FromLayer<RuleMatch>): boolean =>
    valid.some((waiver) => lifts(waiver, denial));
  const standing = denials.filter((denial) => !isLifted(denial));
  return {
    denials: standing,
    usedWaivers: valid.filter((waiver) => denials.some((denial) => lifts(waiver, denial))),
    expiredWaivers: whole.filter(
      (waiver) => !inForce.includes(waiver) && standing.some((denial) => lifts(waiver, denial)),
    ),
    voidWaivers: [
      ...offered.filter(({ problem }) => problem !== undefined),
      ...inForce.slice(valid.length).map((waiver) => surplus(waiver, valid.length)),
    ],
  };
}

/** OPA's sets have no order, and which ones count must not change from call to call. */
function byName(waivers: readonly Waiver[]): readonly Waiver[] {
  return waivers.toSorted((left, right) => compareText(nameOf(left), nameOf(right)));
}

function nameOf({ bundle, rule, expires }: Waiver): string {
  return JSON.stringify([bundle, rule, expires]);
}

function surplus(waiver: Waiver, most: number): Waiver {
  const problem = `expected at most ${most} waivers in force at once (policy.max_waivers), found more`;
  return { ...waiver, problem };
}

function waiversOf(verdicts: readonly LayerVerdict[]): readonly Waiver[] {
  return verdicts.flatMap((verdict) =>
    verdict.ok && verdict.layer.kind === "overrides" ? verdict.output.waive : [],
  );
}

function isInForce({ expires }: Waiver, nowMs: number): boolean {
  const expiresMs = parseRfc3339Ms(expires);
  return expiresMs !== undefined && expiresMs > nowMs;
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
