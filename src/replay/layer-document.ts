/**
 * The document that one layer was asked about, out of the one that was recorded, which is that of
 * the organisation's layers: its own counters, its server's part of the conversation, and what layers
 * before it said.
 */
import { isRecord } from "../contract/json.ts";
import type { LayerKind } from "../contract/bundle.ts";
import type { PolicyAction } from "../contract/policy-input.ts";
import { jsonMembers, toJsonObject } from "../contract/json-members.ts";
import type { RecordedDecision } from "./recorded-decision.ts";

export interface Classes {
  readonly dataClasses: readonly string[];
  readonly labels: readonly string[];
}

/** Who is asked. */
export interface AskedLayer {
  readonly name: string;
  readonly kind: LayerKind;
}

/** The call-phase document of a layer; `classes` where they are others than was recorded. */
export function layerDocument(
  recorded: RecordedDecision,
  layer: AskedLayer,
  classes: Classes | undefined,
): string {
  const { input, action, server } = recorded;
  const changes: [name: string, text: string][] = [
    ["usage", usageOf(input.get("usage"), layer.name)],
  ];
  if (layer.kind === "identity") changes.push(["layers", "{}"]);
  if (layer.kind === "overrides") changes.push(["denials", denialsOf(recorded)]);
  if (layer.kind === "server") {
    changes.push(["context", serverContext(input.get("context") ?? "{}", server)]);
  }
  if (classes !== undefined) changes.push(["action", withClasses(action, classes)]);
  // Mostly a layer saw what was recorded, and its very text is asked about.
  if (changes.every(([name, text]) => input.get(name) === text)) return recorded.inputText;
  return toJsonObject(new Map([...input, ...changes]));
}

/** The classes and labels that all layers saw. */
export function recordedClasses({ action }: RecordedDecision): Classes {
  return {
    dataClasses: textsIn(action.get("data_classes_referenced")),
    labels: textsIn(action.get("labels")),
  };
}

/** Members of an action that the list phase sees. */
const listed: ReadonlySet<string> = new Set([
  "type",
  "direction",
  "server",
  "tool",
  "prompt",
  "uri",
  "uri_template",
  "annotations",
  "definition_digest",
  "destination",
]);

/** What stands in the list for what was asked for. */
const listedTypes: Readonly<Record<string, PolicyAction["type"]>> = {
  resource_subscribe: "resource_read",
  task_get: "tool_call",
  task_result: "tool_call",
  task_cancel: "tool_call",
  task_update: "tool_call",
};

/** The list-phase document about the same thing, for the recorded agent or one above it. */
export function listDocument(
  { input, action: recorded, actionType }: RecordedDecision,
  classes: Classes,
  agentJson?: string,
): string {
  const action = new Map([...recorded].filter(([name]) => listed.has(name)));
  action.set("type", JSON.stringify(listedTypes[actionType] ?? actionType));
  const agent = without(input.get("agent") ?? "{}", "client");
  return toJsonObject(
    new Map([
      ["version", "1"],
      ["phase", '"list"'],
      ["agent", agentJson ?? agent],
      ["user", input.get("user") ?? "{}"],
      ["action", withClasses(action, classes)],
      ["environment", without(input.get("environment") ?? "{}", "time")],
    ]),
  );
}

function without(objectText: string, name: string): string {
  const members = new Map(jsonMembers(objectText));
  members.delete(name);
  return toJsonObject(members);
}

function withClasses(
  action: ReadonlyMap<string, string>,
  { dataClasses, labels }: Classes,
): string {
  const members = new Map(action);
  members.set("data_classes_referenced", JSON.stringify(dataClasses));
  members.set("labels", JSON.stringify(labels));
  return toJsonObject(members);
}

function usageOf(usage: string | undefined, layer: string): string {
  if (usage === undefined || usage === "{}") return "{}";
  return jsonMembers(usage).get(layer) ?? "{}";
}

/** What the conversation has seen of this server; what names no sources is left as it is. */
function serverContext(context: string, server: string): string {
  const members = new Map(jsonMembers(context));
  const seen = narrow(members, "data_classes_seen", "data_class_sources", server);
  const labelled = narrow(members, "labels_seen", "label_sources", server);
  const called = narrowCalled(members, server);
  return seen || labelled || called ? toJsonObject(members) : context;
}

/** Says whether that is something else. */
function narrowCalled(members: Map<string, string>, server: string): boolean {
  const text = members.get("servers_called");
  if (text === undefined || text === "[]" || text === `["${server}"]`) return false;
  const called = textsIn(text).filter((one) => one === server);
  members.set("servers_called", JSON.stringify(called));
  return true;
}

/** Says whether that is something else. */
function narrow(
  members: Map<string, string>,
  seen: string,
  sources: string,
  server: string,
): boolean {
  const text = members.get(sources);
  if (text === undefined || text === "{}") return false;
  const read: unknown = JSON.parse(text);
  const own = Object.entries(isRecord(read) ? read : {}).filter(
    ([, servers]) => Array.isArray(servers) && servers.includes(server),
  );
  members.set(seen, JSON.stringify(own.map(([name]) => name)));
  members.set(sources, JSON.stringify(Object.fromEntries(own.map(([name]) => [name, [server]]))));
  return true;
}

const judgingKinds: readonly LayerKind[] = ["identity", "server", "workflow", "compliance"];
const stages = [["identity"], ["server"], ["workflow", "compliance"]] as const;

/** `input.denials` of an overrides layer: every rule that refused before it was asked. */
function denialsOf({ layers }: RecordedDecision): string {
  const judging = layers.filter(
    ({ verdict: { layer } }) => layer.canaryOf === undefined && judgingKinds.includes(layer.kind),
  );
  const inOrder = stages.flatMap((kinds) =>
    judging.filter(({ verdict }) => kinds.some((kind) => kind === verdict.layer.kind)),
  );
  const denials = inOrder.flatMap(({ verdict }) => {
    if (!verdict.ok) return [];
    const bundle = verdict.layer.name;
    const denied = verdict.output.deny;
    return denied.map(({ rule, code, overridable }) => ({ bundle, rule, code, overridable }));
  });
  return JSON.stringify(denials);
}

function textsIn(list: string | undefined): readonly string[] {
  if (list === undefined || list === "[]") return [];
  const read: unknown = JSON.parse(list);
  return Array.isArray(read) ? read.filter((one) => typeof one === "string") : [];
}
