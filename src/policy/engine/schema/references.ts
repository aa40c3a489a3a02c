/**
 * The resources of one schema document and what a reference in it names. Nothing is ever loaded: a
 * reference that leads out of the document, or nowhere in it, makes the schema unusable.
 */
import type { Json } from "../../../contract/json.ts";
import { isJsonObject } from "../../../contract/json.ts";
import { unusable } from "./schema-error.ts";
import type { Resource, SchemaNode } from "./schema-node.ts";

/** What a reference names: an anchor that is compiled already, or a place in a resource. */
export type Location =
  | { readonly kind: "anchor"; readonly node: SchemaNode; readonly dynamicName: string | undefined }
  | { readonly kind: "place"; readonly schema: Json; readonly resource: Resource };

export interface Resources {
  /** Adds the resource that a schema begins; `base` is the one around it. */
  readonly add: (root: Json, id: string, base: Resource | undefined) => Resource;
  /** The resource that begins with this very schema. */
  readonly at: (root: Json) => Resource | undefined;
  /** What a reference in `from` names; asked when all resources are there. */
  readonly find: (reference: string, from: Resource) => Location;
}

/** Where a schema without a URI lives; nobody can refer to it from elsewhere. */
const baseUri = "schema:///";

/** An empty set of resources, for one document. */
export function createResources(): Resources {
  const byUri = new Map<string, Resource>();
  const byRoot = new Map<Json, Resource>();
  const at = (root: Json): Resource | undefined => byRoot.get(root);
  return {
    at,
    add: (root, id, base) => {
      const { uri } = splitUri(id, base?.uri ?? baseUri);
      if (byUri.has(uri)) throw unusable('expected every "$id" once');
      const resource = { uri, root, anchors: new Map(), dynamicAnchors: new Map() };
      byUri.set(uri, resource);
      byRoot.set(root, resource);
      return resource;
    },
    find: (reference, from) => {
      const { uri, fragment } = splitUri(reference, from.uri);
      const resource = byUri.get(uri);
      if (resource === undefined) throw unusable("expected references within the schema itself");
      const isPointer = fragment === "" || fragment.startsWith("/");
      return isPointer ? walk(resource, fragment, at) : findAnchor(resource, fragment);
    },
  };
}

/** A URI in its parts, made absolute; the fragment is decoded. */
export function splitUri(
  reference: string,
  base: string,
): { readonly uri: string; readonly fragment: string } {
  try {
    // A URI without a path, `urn:…`, is a base for fragments alone.
    const isFragment = reference === "" || reference.startsWith("#");
    const url = isFragment ? new URL(`${base}${reference}`) : new URL(reference, base);
    const fragment = decodeURIComponent(url.hash.slice(1));
    url.hash = "";
    return { uri: url.href, fragment };
  } catch {
    throw unusable('expected URIs in "$id" and in references');
  }
}

function findAnchor(resource: Resource, name: string): Location {
  const dynamic = resource.dynamicAnchors.get(name);
  const node = dynamic ?? resource.anchors.get(name);
  if (node === undefined) throw unusable("expected references to anchors that are there");
  return { kind: "anchor", node, dynamicName: dynamic === undefined ? undefined : name };
}

/** Follows a JSON pointer, through resources that are embedded on its way. */
function walk(start: Resource, pointer: string, at: Resources["at"]): Location {
  let schema = start.root;
  let resource = start;
  for (const token of pointer.split("/").slice(1)) {
    schema = childOf(schema, token.replaceAll("~1", "/").replaceAll("~0", "~"));
    resource = at(schema) ?? resource;
  }
  return { kind: "place", schema, resource };
}

function childOf(schema: Json, key: string): Json {
  const child = isJsonObject(schema) && Object.hasOwn(schema, key) ? schema[key] : undefined;
  const element = Array.isArray(schema) && /^\d{1,9}$/.test(key) ? schema[Number(key)] : undefined;
  const found: Json | undefined = child ?? element;
  if (found === undefined) throw unusable("expected references to places that are there");
  return found;
}
