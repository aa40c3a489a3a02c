/**
 * Reads the elements that are no matches of a rule: capabilities, obligations, waivers.
 */
import { isJsonObject } from "../../contract/json.ts";
import type { Json } from "../../contract/json.ts";
import type { Capabilities, Obligation, Waiver } from "../../contract/layer.ts";
import { parseRfc3339Ms } from "../../contract/rfc3339.ts";
import {
  readObject,
  readOptionalString,
  readString,
  readStrings,
  ShapeError,
  unexpected,
} from "./shape.ts";
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

/**
 * `{bundle, rule, justification, expires, ticket}`; whether it is in force is not asked here. One
 * that is not whole says so and lifts nothing: it is no reason to fail the layer's denials with it.
 */
export function readWaiver(element: Json): Waiver {
  try {
    return readWholeWaiver(element);
  } catch (thrown) {
    if (!(thrown instanceof ShapeError)) throw thrown;
    const members = isJsonObject(element) ? element : {};
    const text = (name: string): string => {
      const { [name]: value } = members;
      return typeof value === "string" ? value : "";
    };
    return {
      bundle: text("bundle"),
      rule: text("rule"),
      justification: text("justification"),
      expires: text("expires"),
      ticket: text("ticket") || undefined,
      problem: thrown.message,
    };
  }
}

function readWholeWaiver(element: Json): Waiver {
  // Its place in a set changes from call to call.
  const where = "waiver";
  const members = readObject(element, where, waiverMembers);
  const text = (name: string): string => readString(members[name], `${where}.${name}`);
  const [justification, expires] = [text("justification"), text("expires")];
  if (justification.trim() === "") {
    throw unexpected(`${where}.justification`, "a reason", "");
  }
  if (parseRfc3339Ms(expires) === undefined) {
    throw unexpected(`${where}.expires`, "a moment with its offset (RFC 3339)", expires);
  }
  return {
    bundle: text("bundle"),
    rule: text("rule"),
    justification,
    expires,
    ticket: readOptionalString(members["ticket"], `${where}.ticket`),
  };
}
