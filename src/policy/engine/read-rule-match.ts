/**
 * Reads one element of `allow`, `deny`, `require_approval`, `hide` or `warn`: a code, an object with
 * `code` or `msg`, or one with `rule`, the METADATA that was a literal in the compiled policy.
 */
import { isJsonObject } from "../../contract/json.ts";
import type { Json, JsonObject } from "../../contract/json.ts";
import { isGatewayCode, isGatewayRule } from "../../contract/layer.ts";
import type { ApprovalRequest, Disclose, RuleMatch } from "../../contract/layer.ts";
import type { Answered } from "./shape.ts";
import {
  readFlag,
  readObject,
  readOptionalString,
  readStrings,
  ShapeError,
  unexpected,
} from "./shape.ts";

const ownMembers = new Set([
  "rule",
  "code",
  "msg",
  "details",
  "approvers",
  "channels",
  "ttl_seconds",
]);

/**
 * Reads one element.
 *
 * @param fallbackRule `package.rule`: the rule's id where METADATA gives none.
 * @throws ShapeError for any other shape, and for a code or rule id of the gateway's own.
 */
export function readRuleMatch(element: Json, where: string, fallbackRule: string): RuleMatch {
  if (typeof element === "string") return readMembers({ code: element }, where, fallbackRule);
  const members = readObject(element, where);
  if (["rule", "code", "msg"].some((name) => members[name] !== undefined)) {
    return readMembers(members, where, fallbackRule);
  }
  throw unexpected(where, 'a code, or an object with "rule", "code" or "msg"', element);
}

/** Reads one element of `require_approval`; its terms stand in the element or in `custom`. */
export function readApprovalRequest(
  element: Json,
  where: string,
  fallbackRule: string,
): ApprovalRequest {
  const match = readRuleMatch(element, where, fallbackRule);
  const members = isJsonObject(element) ? element : {};
  const custom = customOf(members, where);
  const term = (name: string): Answered => members[name] ?? custom[name];
  return {
    ...match,
    approvers: readStrings(term("approvers"), `${where}.approvers`),
    channels: readStrings(term("channels"), `${where}.channels`),
    ttlSeconds: readSeconds(term("ttl_seconds"), `${where}.ttl_seconds`),
  };
}

function readMembers(members: JsonObject, where: string, fallbackRule: string): RuleMatch {
  const metadata =
    members["rule"] === undefined ? {} : readObject(members["rule"], `${where}.rule`);
  const custom = customOf(members, where);
  const text = (name: string): string | undefined =>
    readOptionalString(custom[name], `${where}.rule.custom.${name}`);
  const id = text("id");
  const rule = id ?? fallbackRule;
  const code = text("code") ?? readOptionalString(members["code"], `${where}.code`) ?? rule;
  if (isGatewayCode(code) || isGatewayRule(rule)) {
    throw new ShapeError(
      "policy_error",
      `${where}: expected a code and an id of the policy's own, found one of the gateway's codes`,
    );
  }
  return {
    rule,
    code,
    title: readOptionalString(metadata["title"], `${where}.rule.title`),
    description: readOptionalString(metadata["description"], `${where}.rule.description`),
    severity: text("severity"),
    remediation: text("remediation"),
    appeal: text("appeal"),
    alternatives: readStrings(custom["alternatives"], `${where}.rule.custom.alternatives`),
    // Rules without an id share one name, and a waiver for one of them would lift them all.
    overridable:
      readFlag(custom["overridable"], `${where}.rule.custom.overridable`) && id !== undefined,
    disclose: readDisclose(custom["disclose"], `${where}.rule.custom.disclose`),
    audit: readFlag(custom["audit"], `${where}.rule.custom.audit`),
    owner: text("owner"),
    actions: readStrings(custom["actions"], `${where}.rule.custom.actions`),
    message: readOptionalString(members["msg"], `${where}.msg`),
    details: detailsOf(members),
  };
}

function customOf(members: JsonObject, where: string): JsonObject {
  const { rule } = members;
  if (!isJsonObject(rule) || rule["custom"] === undefined) return {};
  return readObject(rule["custom"], `${where}.rule.custom`);
}

function readDisclose(value: Answered, where: string): Disclose {
  if (value === undefined) return "text";
  if (value === "text" || value === "code" || value === "none") return value;
  throw unexpected(where, '"text", "code" or "none"', value);
}

function readSeconds(value: Answered, where: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
  throw unexpected(where, "seconds above 0", value);
}

/** `details`, else the members that nobody else reads. */
function detailsOf(members: JsonObject): Json | undefined {
  if (members["details"] !== undefined) return members["details"];
  const rest = Object.entries(members).filter(([name]) => !ownMembers.has(name));
  return rest.length === 0 ? undefined : Object.fromEntries(rest);
}
