/**
 * Reads the elements that are no matches of a rule: capabilities, obligations, waivers.
 */
import type { Json } from "../../contract/json.ts";
import type { Capabilities, Obligation, Waiver } from "../../contract/layer.ts";
import { readObject, readOptionalString, readString, readStrings, unexpected } from "./shape.ts";
import type { Answered } from "./shape.ts";

const capabilityMembers = new Set(["servers", "tools", "scopes"]);
const obligationMembers = new Set(["id", "type", "properties"]);
const waiverMembers = new Set(["bundle", "rule", "justification", "expires", "ticket"]);

/** `{servers, tools, scopes}`, all three of them; undefined where the policy has no such rule. */
export function readCapabilities(value: Answered): Capabilities | undefined {
  if (value === undefined) return undefined;
  const members = readObject(value, "capabilities", capabilityMembers);
  const list = (name: string): readonly string[] => {
    if (members[name] === undefined) throw unexpected(`capabilities.${name}`, "a list", undefined);
    return readStrings(members[name], `capabilities.${name}`);
  };
  return { servers: list("servers"), tools: list("tools"), scopes: list("scopes") };
}

/** `{id, type, properties}`; whether anybody knows the type is not asked here. */
export function readObligation(element: Json, where: string): Obligation {
  const members = readObject(element, where, obligationMembers);
  const { properties = {} } = members;
  return {
    id: readString(members["id"], `${where}.id`),
    type: readString(members["type"], `${where}.type`),
    properties: readObject(properties, `${where}.properties`),
  };
}

/** `{bundle, rule, justification, expires, ticket}`; whether it is in force is not asked here. */
export function readWaiver(element: Json, where: string): Waiver {
  const members = readObject(element, where, waiverMembers);
  const text = (name: string): string => readString(members[name], `${where}.${name}`);
  return {
    bundle: text("bundle"),
    rule: text("rule"),
    justification: text("justification"),
    expires: text("expires"),
    ticket: readOptionalString(members["ticket"], `${where}.ticket`),
  };
}
