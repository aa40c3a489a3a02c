/**
 * What a case came to, in the words of its expectation, and where the two differ.
 */
import type { LayerOutput, LayerVerdict } from "../../../contract/layer.ts";
import type { Decided } from "../../../gateway/action/action.ts";
import type { Expectation } from "./stack-case.ts";

/** Every member that an expectation may have. */
export type Found = {
  readonly [Key in keyof Expectation]-?: Exclude<Expectation[Key], undefined>;
};

/** What one layer said, one sentence each. */
export interface LayerSaying {
  readonly layer: string;
  readonly kind: string;
  readonly revision: string;
  readonly said: readonly string[];
}

/** What was decided. */
export function foundOf({ combined, verdicts, brings }: Decided): Found {
  const { answer, hidden, holds, usedWaivers } = combined;
  const outputs = verdicts.flatMap((verdict) => (verdict.ok ? [verdict.output] : []));
  return {
    effect: hidden ? "hidden" : answer.effect,
    enforced: answer.enforced,
    reasons: [...answer.reasons],
    matched_rules: [...answer.metadata.matched_rules],
    remediation: answer.remediation,
    obligations: outputs.flatMap(({ obligations }) => obligations.map(({ type }) => type)),
    holds: unique(holds.map(({ match }) => match.rule)),
    warnings: unique(outputs.flatMap(({ warn }) => warn.map(({ rule }) => rule))),
    waived: unique(usedWaivers.map(({ bundle, rule }) => `${bundle}/${rule}`)),
    data_classes: [...brings.dataClasses],
    labels: [...brings.labels],
  };
}

/** One sentence for each member that is not as expected; lists in any order. */
export function differencesOf(expected: Expectation, found: Found): readonly string[] {
  const members: Readonly<Record<string, unknown>> = { ...found };
  return Object.entries(expected).flatMap(([name, wanted]) => {
    const shown = [textOf(wanted), textOf(members[name])] as const;
    return shown[0] === shown[1] ? [] : [`${name}: expected ${shown[0]}, found ${shown[1]}`];
  });
}

/** What each layer that was asked said. */
export function sayingsOf(verdicts: readonly LayerVerdict[]): readonly LayerSaying[] {
  return verdicts.map((verdict) => {
    const { name: layer, kind, revision } = verdict.layer;
    const said = verdict.ok ? wordsOf(verdict.output) : [`${verdict.code}: ${verdict.message}`];
    return { layer, kind, revision, said: said.length === 0 ? ["nothing"] : said };
  });
}

function wordsOf(output: LayerOutput): readonly string[] {
  const { allow, deny, requireApproval, hide, warn, obligations, waive } = output;
  const named = { allow, deny, require_approval: requireApproval, hide, warn };
  return [
    ...Object.entries(named).flatMap(([word, matches]) =>
      matches.map(({ rule, code }) => `${word} ${rule}${code === rule ? "" : ` (${code})`}`),
    ),
    ...obligations.map(({ id, type }) => `obligation ${type} ${id}`),
    ...waive.map(({ bundle, rule }) => `waive ${bundle}/${rule}`),
  ];
}

function textOf(value: unknown): string {
  return JSON.stringify(Array.isArray(value) ? value.map(String).toSorted() : value) ?? "nothing";
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
