/**
 * A compiled schema and how it is evaluated: a list of checks, one for each keyword, that are plain
 * closures. No code is ever generated from a schema, since it comes from an upstream server and runs
 * in the thread that decides.
 */
import type { Json } from "../../../contract/json.ts";
import { unusable } from "./schema-error.ts";

/** One keyword; `false` where the instance breaks it. */
export type Check = (instance: Json, visit: Visit, seen: Seen | undefined) => boolean;

export interface SchemaNode {
  readonly checks: readonly Check[];
  readonly resource: Resource;
}

/** A schema with a URI of its own, together with what it embeds, but for other resources. */
export interface Resource {
  readonly uri: string;
  readonly root: Json;
  readonly anchors: Map<string, SchemaNode>;
  readonly dynamicAnchors: Map<string, SchemaNode>;
}

/** The resources that evaluation went through, innermost first. */
interface Scope {
  readonly resource: Resource;
  readonly outer: Scope | undefined;
}

/** Where in the instance evaluation is, innermost first. */
interface Place {
  readonly key: string | number;
  readonly outer: Place | undefined;
}

export interface Failure {
  /** RFC 6901 pointer into the instance. */
  readonly pointer: string;
  readonly keyword: string;
}

/** One step of evaluation: where it is, and who hears what failed. */
export interface Visit {
  readonly scope: Scope;
  readonly place: Place | undefined;
  readonly depth: number;
  /** Undefined inside of a branch, whose failures mean nothing by themselves. */
  readonly failures: Failure[] | undefined;
  /** True where some keyword asks what the others have seen. */
  readonly tracks: boolean;
}

/** Members and elements of one instance that keywords beside `unevaluated…` have looked at. */
export interface Seen {
  readonly properties: Set<string>;
  readonly items: Set<number>;
}

/** More failures than these are not looked for. */
const maxFailures = 5;
/** Arguments are at most 64 levels deep; the rest is for the schema's own ways. */
const maxDepth = 1000;

/** The step at which evaluation begins. */
export function startVisit(node: SchemaNode, failures: Failure[], tracks: boolean): Visit {
  const scope = { resource: node.resource, outer: undefined };
  return { scope, place: undefined, depth: 0, failures, tracks };
}

/** Evaluates a schema against an instance; everything it has seen is added to `seen`. */
export function evaluate(
  node: SchemaNode,
  instance: Json,
  visit: Visit,
  seen: Seen | undefined,
): boolean {
  const inside = enter(node, visit);
  let isValid = true;
  for (const check of node.checks) {
    if (check(instance, inside, seen)) continue;
    if (!wantsMore(visit)) return false;
    isValid = false;
  }
  return isValid;
}

/** Evaluates against a member or element of the instance. */
export function evaluateMember(
  node: SchemaNode,
  value: Json,
  key: string | number,
  visit: Visit,
): boolean {
  if (node.checks.length === 0) return true;
  const place = { key, outer: visit.place };
  return evaluate(node, value, { ...visit, place }, newSeen(visit));
}

/** Evaluates against the same instance; what was seen counts only where it is valid. */
export function evaluateInPlace(
  node: SchemaNode,
  instance: Json,
  visit: Visit,
  seen: Seen | undefined,
): boolean {
  const inner = newSeen(visit);
  if (!evaluate(node, instance, visit, inner)) return false;
  for (const name of inner?.properties ?? []) seen?.properties.add(name);
  for (const index of inner?.items ?? []) seen?.items.add(index);
  return true;
}

/** The same step, told to nobody. */
export function silently(visit: Visit): Visit {
  return visit.failures === undefined ? visit : { ...visit, failures: undefined };
}

/** Reports a broken keyword; always `false`. */
export function fail(visit: Visit, keyword: string, key?: string | number): false {
  if (visit.failures === undefined) return false;
  const place = key === undefined ? visit.place : { key, outer: visit.place };
  visit.failures.push({ pointer: pointerTo(place), keyword });
  return false;
}

/** True where somebody still listens after a failure. */
export function wantsMore({ failures }: Visit): boolean {
  return failures !== undefined && failures.length < maxFailures;
}

/** What the innermost evaluation may count as seen; undefined where nobody asks. */
export function newSeen({ tracks }: Visit): Seen | undefined {
  return tracks ? { properties: new Set(), items: new Set() } : undefined;
}

function enter(node: SchemaNode, visit: Visit): Visit {
  const depth = visit.depth + 1;
  if (depth > maxDepth)
    throw unusable(`expected a schema that comes to an end, found it ${maxDepth} steps deep`);
  const { resource } = node;
  const scope = resource === visit.scope.resource ? visit.scope : { resource, outer: visit.scope };
  return { ...visit, scope, depth };
}

function pointerTo(place: Place | undefined): string {
  const keys: string[] = [];
  for (let at = place; at !== undefined; at = at.outer) keys.push(String(at.key));
  const escaped = keys.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
  return escaped.toReversed().join("");
}
