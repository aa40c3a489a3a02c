/**
 * The way to the obligations of a decision. Most decisions have none, and what reads them is loaded
 * with the first that has.
 */
import type { GatewayConfig } from "../../config/config.ts";
import { canonicalJson } from "../../contract/canonical-json.ts";
import type { LayerVerdict, Obligation } from "../../contract/layer.ts";
import type { ActionType } from "../../contract/policy-input.ts";
import type { ChangingDuty, Duty } from "../../policy/enforcement/obligations/obligation.ts";

/** Reads obligations. */
export interface DutyReader {
  /** Why one cannot be carried out on such an action; `undefined` where it can. */
  readonly problemOf: (type: ActionType, obligation: Obligation) => string | undefined;
  /** What all layers want done. */
  readonly dutiesOf: (verdicts: readonly LayerVerdict[]) => readonly Duty[];
}

/** Where nobody attached any. */
export const noDuties: DutyReader = {
  problemOf: () => "expected no obligation here",
  dutiesOf: () => [],
};

/** A reader of what is attached to these verdicts. */
export function openDuties(
  config: Pick<GatewayConfig, "notify">,
  verdicts: readonly LayerVerdict[],
): DutyReader | Promise<DutyReader> {
  return obligationsOf(verdicts).length === 0 ? noDuties : loadDuties(config);
}

async function loadDuties(config: Pick<GatewayConfig, "notify">): Promise<DutyReader> {
  const { createDutyReader } = await import("./duties.ts");
  return createDutyReader(config);
}

/**
 * Everything that any layer attached, and then what only canaries did: nobody is told twice, and what
 * they change was changed by the layers before.
 */
export function obligationsOf(verdicts: readonly LayerVerdict[]): readonly Obligation[] {
  const answered = verdicts.filter((verdict) => verdict.ok);
  const layers = answered.filter(({ layer }) => layer.canaryOf === undefined);
  const attached = layers.flatMap(({ output }) => output.obligations);
  if (layers.length === answered.length) return attached;
  const more = answered.flatMap(({ layer, output }) =>
    layer.canaryOf === undefined ? [] : output.obligations,
  );
  const known = new Set(attached.map(nameOf));
  return [...attached, ...more.filter((obligation) => !known.has(nameOf(obligation)))];
}

function nameOf({ type, properties }: Obligation): string {
  return canonicalJson([type, properties]);
}

/** True for one that changes what comes back. */
export function isChanging(duty: Duty): duty is ChangingDuty {
  return duty.type !== "notify";
}
