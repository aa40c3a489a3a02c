/**
 * Leads an obligation through a message of a server: a result of any method, an error, the params of
 * a notification. Every leaf is shown to it. What the protocol gives a meaning keeps it: URIs stay
 * URIs, and what cannot be changed and must not pass stops the message. A member that nobody knows
 * is the server's own, and a document.
 */
import type { Editor } from "./editor.ts";
import type { JsonMember, JsonNode } from "./json-tree.ts";
import { stringNode } from "./json-tree.ts";

/** Members that hold further objects of the protocol. */
const containers: ReadonlySet<string> = new Set([
  "content",
  "contents",
  "messages",
  "resource",
  "result",
  "task",
  "annotations",
  "icons",
  "inputRequests",
  "params",
  "completion",
  "error",
]);
/** The gateway's to rename; the client never sees what the server said. */
const sealed: ReadonlySet<string> = new Set(["taskId", "requestState"]);
const uris: ReadonlySet<string> = new Set(["uri", "url", "src", "uriTemplate"]);
/** Cannot be changed: the message would be another one. */
const fixed: ReadonlySet<string> = new Set([
  "type",
  "mimeType",
  "role",
  "audience",
  "resultType",
  "status",
  "method",
  "mode",
  "level",
  "isError",
  "lastModified",
  "createdAt",
  "lastUpdatedAt",
  "cacheScope",
]);
/** Words of the protocol say nothing of anybody. */
const vocabulary: ReadonlySet<string> = new Set(
  `text image audio resource resource_link tool_use tool_result object user assistant complete
  task input_required working completed failed cancelled form url public private text/plain
  application/json debug info notice warning error critical alert emergency`.split(/\s+/),
);
const relatedTask = "io.modelcontextprotocol/related-task";

/** The message as the obligation leaves it; the same node where it changes nothing. */
export function editMessage(node: JsonNode, editor: Editor): JsonNode {
  return editObject(node, editor, undefined);
}

function editObject(node: JsonNode, editor: Editor, name: string | undefined): JsonNode {
  switch (node.kind) {
    case "array":
      return { ...node, items: node.items.map((item) => editObject(item, editor, name)) };
    case "object": {
      const standIn = standInFor(node.members, editor);
      if (standIn !== undefined) return standIn;
      return { ...node, members: node.members.flatMap((member) => editMember(member, editor)) };
    }
    case "string":
      return editText(node, editor, name);
    case "word":
      if (editor.forbids(node.text)) editor.tally.problem ??= "a number that must not pass";
      return node;
  }
}

function editMember([name, value]: JsonMember, editor: Editor): readonly JsonMember[] {
  if (sealed.has(name) && value.kind === "string") return [[name, value]];
  if (containers.has(name) || value.kind === "word" || fixed.has(name) || isTexts(value)) {
    return [[name, editObject(value, editor, name)]];
  }
  if (name === "_meta" && value.kind === "object") {
    const [own, theirs] = [value.members.filter(isRelated), value.members.filter(isTheirs)];
    if (theirs.length === 0) return [[name, value]];
    const edited = editor.document({ kind: "object", members: theirs });
    const kept = edited?.kind === "object" ? edited.members : [];
    return [[name, { kind: "object", members: [...own, ...kept] }]];
  }
  const document = editor.document(value);
  return document === undefined ? [] : [[name, document]];
}

function isRelated([name]: JsonMember): boolean {
  return name === relatedTask;
}

function isTheirs(member: JsonMember): boolean {
  return !isRelated(member);
}

/** A text, or a list of them. */
function isTexts(value: JsonNode): boolean {
  if (value.kind === "array") return value.items.every(({ kind }) => kind === "string");
  return value.kind === "string";
}

function editText(
  node: Extract<JsonNode, { kind: "string" }>,
  editor: Editor,
  name = "",
): JsonNode {
  const { value } = node;
  if (fixed.has(name)) {
    const isWord = vocabulary.has(value);
    if (!isWord && editor.forbids(value)) editor.tally.problem ??= `"${name}" must not pass`;
    return node;
  }
  const isUri = uris.has(name);
  const isInline = isUri && /^data:/i.test(value);
  if (isInline) return stringNode(editor.binary(value.length) === undefined ? value : "data:,");
  const edited = isUri ? editor.uri(value) : editor.prose(value, name);
  return edited === value ? node : stringNode(edited);
}

/** What is shown instead of content that no text can be read from. */
function standInFor(members: readonly JsonMember[], editor: Editor): JsonNode | undefined {
  const [type] = texts(members, "type");
  const isMedia = type === "image" || type === "audio";
  const held = texts(members, isMedia ? "data" : "blob");
  if (held.length === 0) return undefined;
  const note = editor.binary(Math.max(...held.map(({ length }) => length)));
  if (note === undefined) return undefined;
  editor.tally.changed += 1;
  const text: JsonMember = ["text", stringNode(note)];
  if (isMedia) return { kind: "object", members: [["type", stringNode("text")], text] };
  const rest = members.filter(([name]) => !["blob", "text", "mimeType"].includes(name));
  const shown = rest.flatMap((member) => editMember(member, editor));
  return { kind: "object", members: [...shown, ["mimeType", stringNode("text/plain")], text] };
}

function texts(members: readonly JsonMember[], wanted: string): readonly string[] {
  return members.flatMap(([name, value]) =>
    name === wanted && value.kind === "string" ? [value.value] : [],
  );
}
