/**
 * Rules that name places: the operator's paths and the masks of a server's bundle, followed name by
 * name beside the record.
 */
import type { Json } from "../../contract/json.ts";
import { pointerNames } from "../../contract/log-mask.ts";
import type { LogMask } from "../../contract/log-mask.ts";

export interface MaskRule {
  readonly path: readonly string[];
  readonly op: "remove" | "upsert";
  readonly value?: Json | undefined;
  /** A bundle's rule hides leaf by leaf; the operator's hides what it names, whole. */
  readonly isForLeaves: boolean;
}

/** A rule whose first names were met. */
export interface RuleAt {
  readonly rule: MaskRule;
  readonly depth: number;
}

/** The operator's paths come first, since the first rule that fits counts. */
export function maskRules(paths: readonly string[], masks: readonly LogMask[]): readonly RuleAt[] {
  const own = paths.map((path) => ({
    path: pointerNames(path),
    op: "upsert" as const,
    isForLeaves: false,
  }));
  const bundles = masks.map((mask) => ({ ...mask, isForLeaves: true }));
  return [...own, ...bundles].map((rule) => ({ rule, depth: 0 }));
}

/** Those that go on below a member or item. */
export function rulesBelow(rules: readonly RuleAt[], name: string): readonly RuleAt[] {
  if (rules.length === 0) return rules;
  return rules.flatMap((at): readonly RuleAt[] => {
    const { rule, depth } = at;
    if (depth === rule.path.length) return rule.isForLeaves ? [at] : [];
    const wanted = rule.path[depth];
    return wanted === "*" || wanted === name ? [{ rule, depth: depth + 1 }] : [];
  });
}

/** The rule that a value is hidden by. */
export function ruleFor(rules: readonly RuleAt[], isLeaf: boolean): MaskRule | undefined {
  return rules.find(
    ({ rule, depth }) => depth === rule.path.length && (isLeaf || !rule.isForLeaves),
  )?.rule;
}
