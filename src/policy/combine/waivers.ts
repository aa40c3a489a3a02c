/**
 * Waivers of the overrides layer: each lifts the denials of one rule of one bundle, for a stated
 * reason and until a stated time. Nothing that the gateway itself refuses is ever lifted, nothing
 * whose author did not mark it `overridable`, and nothing by more waivers than the operator wants. A
 * canary of an overrides layer gives no waiver of its own: those of its layer count where it gives
 * them too.
 */
import { baseName, isGatewayCode } from "../../contract/layer.ts";
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
  const counted = inForce.slice(0, maxWaivers);
  const valid = counted.filter((waiver) => missingCanary(waiver, verdicts, nowMs) === undefined);
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
      ...inForce.slice(counted.length).map((waiver) => surplus(waiver, counted.length)),
      ...counted.flatMap((waiver) => withoutCanary(waiver, verdicts, nowMs)),
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

function withoutCanary(
  waiver: Waiver,
  verdicts: readonly LayerVerdict[],
  nowMs: number,
): readonly Waiver[] {
  const canary = missingCanary(waiver, verdicts, nowMs);
  if (canary === undefined) return [];
  return [{ ...waiver, problem: `expected it of "${canary}" too, found none in force there` }];
}

/** The canary beside the layer of a waiver that does not give it; what it gives itself is not heard. */
function missingCanary(
  waiver: Waiver,
  verdicts: readonly LayerVerdict[],
  nowMs: number,
): string | undefined {
  const isGiven = (one: Waiver): boolean =>
    one.problem === undefined && isSame(one, waiver) && isStated(one) && isInForce(one, nowMs);
  const overrides = overridesIn(verdicts);
  const giver = overrides.find(
    ({ layer, output }) => layer.canaryOf === undefined && output.waive.includes(waiver),
  );
  return overrides.find(
    ({ layer: { canaryOf }, output }) =>
      canaryOf !== undefined && canaryOf === giver?.layer.name && !output.waive.some(isGiven),
  )?.layer.name;
}

function isSame(left: Waiver, right: Waiver): boolean {
  return left.bundle === right.bundle && left.rule === right.rule;
}

function waiversOf(verdicts: readonly LayerVerdict[]): readonly Waiver[] {
  return overridesIn(verdicts).flatMap(({ layer, output }) =>
    layer.canaryOf === undefined ? output.waive : [],
  );
}

function overridesIn(verdicts: readonly LayerVerdict[]) {
  return verdicts.filter((verdict) => verdict.ok).filter(({ layer }) => layer.kind === "overrides");
}

function isStated({ justification }: Waiver): boolean {
  return justification.trim() !== "";
}

function isInForce({ expires }: Waiver, nowMs: number): boolean {
  const expiresMs = parseRfc3339Ms(expires);
  return expiresMs !== undefined && expiresMs > nowMs;
}

function lifts(waiver: Waiver, { layer, match }: FromLayer<RuleMatch>): boolean {
  return (
    match.overridable &&
    !isGatewayCode(match.code) &&
    isStated(waiver) &&
    waiver.bundle === baseName(layer) &&
    waiver.rule === match.rule
  );
}
