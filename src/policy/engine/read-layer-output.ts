/**
 * Reads a layer's raw answer strictly: every rule that the contract knows in the shape it has there,
 * and only rules that this kind of layer may have. Whatever else comes is a failed layer, because a
 * policy that answers in an unknown shape has not said yes.
 */
import type { LayerKind } from "../../contract/bundle.ts";
import type { Json } from "../../contract/json.ts";
import { emptyOutput } from "../../contract/layer.ts";
import type { LayerOutput, RuleMatch } from "../../contract/layer.ts";
import { messageOf } from "../../errors.ts";
import { defaultGrant, isAnswerShape, plainGrant, readAnswerShape } from "./read-answer-shape.ts";
import { isDenialSet, readDenialSet } from "./read-denial-set.ts";
import { readCapabilities, readObligation, readWaiver } from "./read-rule-values.ts";
import { readApprovalRequest, readRuleMatch } from "./read-rule-match.ts";
import { readArray, readObject, readStrings, ShapeError, unexpected } from "./shape.ts";
import type { Answered } from "./shape.ts";

export type LayerReading =
  | { readonly ok: true; readonly output: LayerOutput }
  | { readonly ok: false; readonly code: "policy_error" | "no_decision"; readonly message: string };

/** Whose answer it is. */
export interface AnsweringLayer {
  readonly kind: LayerKind;
  readonly policyPackage: string;
  /** What was asked, as a path in `data`. */
  readonly entrypoint?: string;
  /** True where the operator has what no rule grants or refuses granted. */
  readonly isAllowedByDefault?: boolean;
}

const anyKind = ["deny", "require_approval", "obligations", "hide", "warn"];
const rulesByKind: Readonly<Record<LayerKind, ReadonlySet<string>>> = {
  identity: new Set([...anyKind, "capabilities"]),
  server: new Set([...anyKind, "allow", "data_classes", "labels"]),
  workflow: new Set(anyKind),
  compliance: new Set(anyKind),
  overrides: new Set([...anyKind, "waive"]),
};

/** What is deeper cannot be handed from thread to thread, or written to the record. */
const maxLevels = 512;

/** Reads a result set: `[]` is no decision, `[{"result": …}]` is read, all else is an error. */
export function readLayerOutput(resultSet: string, layer: AnsweringLayer): LayerReading {
  try {
    const results: Json = JSON.parse(resultSet);
    if (isDeeper(results, maxLevels)) {
      throw new ShapeError(
        "policy_error",
        `result: expected at most ${maxLevels} levels of nesting, found more`,
      );
    }
    if (!Array.isArray(results)) throw unexpected("result", "a result set", results);
    if (results.length === 0) {
      return { ok: false, code: "no_decision", message: "the policy's decision is undefined" };
    }
    const [first, second]: readonly Json[] = results;
    if (second !== undefined) throw unexpected("result", "one result", second);
    return { ok: true, output: readDecision(readObject(first, "result")["result"], layer) };
  } catch (thrown) {
    if (!(thrown instanceof ShapeError) && !(thrown instanceof SyntaxError)) throw thrown;
    return { ok: false, code: "policy_error", message: messageOf(thrown) };
  }
}

function isDeeper(value: Json, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((item: Json) => isDeeper(item, levels - 1));
}

function readDecision(decision: Answered, layer: AnsweringLayer): LayerOutput {
  if (isAnswerShape(decision) && layer.kind === "server") {
    return { ...emptyOutput, ...readAnswerShape(decision, layer.policyPackage) };
  }
  const rules = isDenialSet(decision, layer.entrypoint)
    ? { deny: readDenialSet(decision) }
    : readObject(decision, "decision", rulesByKind[layer.kind]);
  const { allow } = rules;
  const idOf = (name: string): string => `${layer.policyPackage}.${name}`;
  const matches = (name: string): readonly RuleMatch[] =>
    readArray(rules[name], name, (item, where) => readRuleMatch(item, where, idOf(name)));
  return {
    allow:
      allow === undefined && layer.isAllowedByDefault === true
        ? [defaultGrant]
        : typeof allow === "boolean"
          ? plainGrant(allow, idOf("allow"))
          : matches("allow"),
    deny: matches("deny"),
    requireApproval: readArray(rules["require_approval"], "require_approval", (item, where) =>
      readApprovalRequest(item, where, idOf("require_approval")),
    ),
    obligations: readArray(rules["obligations"], "obligations", readObligation),
    hide: matches("hide"),
    dataClasses: readStrings(rules["data_classes"], "data_classes"),
    labels: readStrings(rules["labels"], "labels"),
    capabilities: readCapabilities(rules["capabilities"]),
    waive: readArray(rules["waive"], "waive", readWaiver),
    warn: matches("warn"),
  };
}
