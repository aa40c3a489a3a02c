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

/** Members of what Envoy's external authorization is answered. */
const envoyMembers = new Set([
  "allowed",
  "body",
  "http_status",
  "headers",
  "response_headers_to_add",
  "request_headers_to_remove",
  "dynamic_metadata",
]);

/**
 * True for `true`, `false`, and an object of the members of the gateway's own answer with a boolean
 * `allow`, or of Envoy's with a boolean `allowed`.
 */
export function isAnswerShape(decision: Answered): decision is boolean | JsonObject {
  if (typeof decision === "boolean") return true;
  if (!isJsonObject(decision)) return false;
  if (typeof decision["allowed"] === "boolean") return hasOnly(decision, envoyMembers);
  return typeof decision["allow"] === "boolean" && hasOnly(decision, answerMembers);
}

/** A grant where it allows, else one denial for each of its reasons. */
export function readAnswerShape(
  decision: boolean | JsonObject,
  policyPackage: string,
): Pick<LayerOutput, "allow" | "deny" | "warn"> {
  const answer: JsonObject = typeof decision === "boolean" ? { allow: decision } : decision;
  const rule = `${policyPackage}.allow`;
  if (answer["allowed"] !== undefined) return readEnvoyShape(answer, rule);
  if (answer["allow"] !== true) return { allow: [], deny: denialsOf(answer, rule), warn: [] };
  const { effect } = answer;
  if (effect !== undefined && effect !== "allow") throw unexpected("effect", '"allow"', effect);
  return { allow: plainGrant(true, rule), deny: [], warn: [] };
}

/** Headers cannot be passed on; a grant that wants some says so in the record. */
function readEnvoyShape(
  { allowed, body, ...others }: JsonObject,
  rule: string,
): Pick<LayerOutput, "allow" | "deny" | "warn"> {
  const { http_status: status, ...headers } = others;
  if (allowed === true) {
    const msg = "Headers of the policy's answer are not passed on.";
    const details = { members: Object.keys(headers) };
    const warn = Object.keys(headers).length === 0 ? [] : [{ msg, details }];
    const warnings = warn.map((element) => readRuleMatch(element, "warn", rule));
    return { allow: plainGrant(true, rule), deny: [], warn: warnings };
  }
  const msg = optionalText(body, "body");
  const details = status === undefined ? {} : { details: { http_status: status } };
  const denials = msg === undefined ? [] : [readRuleMatch({ msg, ...details }, "body", rule)];
  return { allow: [], deny: denials, warn: [] };
}

/** What a boolean `allow` grants: a tool call, by no rule in particular. */
export function plainGrant(isAllowed: boolean, rule: string): readonly RuleMatch[] {
  return isAllowed ? [readRuleMatch(rule, "allow", rule)] : [];
}

/** What stands in the record where the operator's `default: "allow"` grants. */
export const defaultGrant: RuleMatch = {
  ...readRuleMatch("default_allow", "allow", "default_allow"),
  rule: "gateway.default_allow",
  title: "No rule of the server's policy refuses the call, and the operator lets such calls pass.",
};

function hasOnly(value: JsonObject, known: ReadonlySet<string>): boolean {
  return Object.keys(value).every((name) => known.has(name));
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
