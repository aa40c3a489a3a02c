/**
 * Reads decisions of server bundles that were not written for this gateway: a boolean, or an object
 * with a boolean `allow` beside the members that an answer of the gateway has.
 */
import { isJsonObject } from "../../contract/json.ts";
import type { Json, JsonObject } from "../../contract/json.ts";
import type { LayerOutput, RuleMatch } from "../../contract/layer.ts";
import { readRuleMatch } from "./read-rule-match.ts";
import { readObject, readOptionalString, readStrings, unexpected } from "./shape.ts";
import type { Answered } from "./shape.ts";

const answerMembers = new Set([
  "allow",
  "effect",
  "enforced",
  "reasons",
  "remediation",
  "metadata",
]);

/** True for `true`, `false`, and an object of the answer's members with a boolean `allow`. */
export function isAnswerShape(decision: Answered): decision is boolean | JsonObject {
  if (typeof decision === "boolean") return true;
  if (!isJsonObject(decision) || typeof decision["allow"] !== "boolean") return false;
  return Object.keys(decision).every((name) => answerMembers.has(name));
}

/** A grant where it allows, else one denial for each of its reasons. */
export function readAnswerShape(
  decision: boolean | JsonObject,
  policyPackage: string,
): Pick<LayerOutput, "allow" | "deny"> {
  const answer: JsonObject = typeof decision === "boolean" ? { allow: decision } : decision;
  const rule = `${policyPackage}.allow`;
  if (answer["allow"] !== true) return { allow: [], deny: denialsOf(answer, rule) };
  const { effect } = answer;
  if (effect !== undefined && effect !== "allow") throw unexpected("effect", '"allow"', effect);
  return { allow: plainGrant(true, rule), deny: [] };
}

/** What a boolean `allow` grants: a tool call, by no rule in particular. */
export function plainGrant(isAllowed: boolean, rule: string): readonly RuleMatch[] {
  return isAllowed ? [readRuleMatch(rule, "allow", rule)] : [];
}

function denialsOf(answer: JsonObject, rule: string): LayerOutput["deny"] {
  const metadata =
    answer["metadata"] === undefined ? {} : readObject(answer["metadata"], "metadata");
  return readStrings(answer["reasons"], "reasons").map((reason, index) => ({
    ...readRuleMatch(reason, `reasons[${index}]`, rule),
    remediation: optionalText(answer["remediation"], "remediation"),
    appeal: optionalText(metadata["appeal_path"], "metadata.appeal_path"),
    alternatives: readStrings(metadata["alternatives"], "metadata.alternatives"),
  }));
}

function optionalText(value: Json | undefined, where: string): string | undefined {
  return value === null ? undefined : readOptionalString(value, where);
}
