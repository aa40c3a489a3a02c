/**
 * Where results, and requests and notifications of a server, hold URIs of resources. Found in the
 * parsed value, to be replaced in the bytes; what a server calls a URI in free text or in structured
 * content of its own is left as it is.
 */
import { isRecord } from "../../contract/json.ts";
import type { JsonPath, ReplaceString } from "../wire/rewrite-strings.ts";
import { exposeUri, isResourceUri, isWebLink } from "./resource-uri.ts";
import type { NamedServer } from "./resource-uri.ts";
import { uiPlaces } from "./ui-resource.ts";

/** A URI in a result. */
export interface UriPlace {
  readonly path: JsonPath;
  readonly uri: string;
  /** `link`: only named. `content`: its content is there too. `ui`: a user interface to show. */
  readonly role: "link" | "content" | "ui";
}

/**
 * The URIs in the result of any request, in the params of a sampling request, and in those of
 * `notifications/resources/updated`.
 */
export function urisIn(value: unknown): readonly UriPlace[] {
  if (!isRecord(value)) return [];
  return [
    ...inList(value["contents"], ["contents"], (part, path) => uriOf(part, path, "content")),
    ...inBlocks(value["content"], ["content"]),
    ...inList(value["messages"], ["messages"], inMessage),
    ...uiPlaces(value["_meta"]).map(({ path, uri }) => ({
      path: ["_meta", ...path],
      uri,
      role: "ui" as const,
    })),
    ...uriOf(value, [], "content"),
    ...below("result", urisIn(value["result"])),
    ...inQuestions(value["inputRequests"]),
  ];
}

/** The server's own URIs that a client may ask for after it saw this. */
export function mentionedUris(value: unknown): ReadonlySet<string> {
  return new Set(urisIn(value).map(({ uri }) => uri));
}

/**
 * What `rewriteStrings` has to replace in the bytes of `value` for a client to know its URIs. A link
 * to the web stays one: the client follows it by itself (MCP 2026-07-28, "Common URI Schemes").
 * `undefined` where nothing is to be replaced.
 */
export function uriReplacement(
  value: unknown,
  server: Pick<NamedServer, "id" | "resources">,
): ReplaceString | undefined {
  if (server.resources === "original") return undefined;
  const root: Node = { places: new Map() };
  for (const { path, uri, role } of urisIn(value)) {
    if (role !== "link" || !isWebLink(uri)) plant(root, path);
  }
  if (root.places.size === 0) return undefined;
  return (path, text) => (isPlanted(root, path) ? exposeUri(server, text()) : undefined);
}

/** A tree of paths. */
interface Node {
  readonly places: Map<string | number, Node>;
}

function plant(root: Node, path: JsonPath): void {
  let node = root;
  for (const key of path) {
    const next = node.places.get(key) ?? { places: new Map() };
    node.places.set(key, next);
    node = next;
  }
}

function isPlanted(root: Node, path: JsonPath): boolean {
  let node = root;
  for (const key of path) {
    const next = node.places.get(key);
    if (next === undefined) return false;
    node = next;
  }
  return node.places.size === 0;
}

function inList(
  list: unknown,
  path: JsonPath,
  find: (part: unknown, path: JsonPath) => readonly UriPlace[],
): readonly UriPlace[] {
  return Array.isArray(list) ? list.flatMap((part, at) => find(part, [...path, at])) : [];
}

/** One content block or a list of them; results of tools in a sampling message hold blocks again. */
function inBlocks(blocks: unknown, path: JsonPath): readonly UriPlace[] {
  if (Array.isArray(blocks)) return inList(blocks, path, inBlocks);
  if (!isRecord(blocks)) return [];
  return [
    ...uriOf(blocks, path, "link"),
    ...uriOf(blocks["resource"], [...path, "resource"], "content"),
    ...inBlocks(blocks["content"], [...path, "content"]),
  ];
}

function inMessage(message: unknown, path: JsonPath): readonly UriPlace[] {
  return isRecord(message) ? inBlocks(message["content"], [...path, "content"]) : [];
}

/** Requests of the server inside of a result (MCP 2026-07-28, multi round-trip requests). */
function inQuestions(questions: unknown): readonly UriPlace[] {
  if (!isRecord(questions)) return [];
  return Object.entries(questions).flatMap(([key, question]) =>
    isRecord(question)
      ? below("inputRequests", below(key, below("params", urisIn(question["params"]))))
      : [],
  );
}

function uriOf(part: unknown, path: JsonPath, role: UriPlace["role"]): readonly UriPlace[] {
  if (!isRecord(part) || !isResourceUri(part["uri"])) return [];
  return [{ path: [...path, "uri"], uri: part["uri"], role }];
}

function below(key: string, places: readonly UriPlace[]): readonly UriPlace[] {
  return places.map((place) => ({ ...place, path: [key, ...place.path] }));
}
