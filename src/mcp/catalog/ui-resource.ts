/**
 * Where MCP Apps (extension `io.modelcontextprotocol/ui`) names the user interface of a tool: in
 * `_meta` of its definition, and of its results. The flat key is the older spelling of the same.
 */
import { isRecord } from "../../contract/json.ts";
import type { JsonPath } from "../wire/rewrite-strings.ts";
import type { Definition } from "./read-item.ts";
import { isResourceUri } from "./resource-uri.ts";

const flatKey = "ui/resourceUri";

/** The places below `_meta` that hold a URI, and what they hold. */
export function uiPlaces(
  meta: unknown,
): readonly { readonly path: JsonPath; readonly uri: string }[] {
  if (!isRecord(meta)) return [];
  const nested = isRecord(meta["ui"]) ? meta["ui"]["resourceUri"] : undefined;
  const places = [
    { path: ["ui", "resourceUri"], uri: nested },
    { path: [flatKey], uri: meta[flatKey] },
  ];
  return places.flatMap(({ path, uri }) => (isResourceUri(uri) ? [{ path, uri }] : []));
}

/** URIs of the user interfaces that a tool's definition names. */
export function uiResourcesOf(definition: Definition): readonly string[] {
  return uiPlaces(definition["_meta"]).map(({ uri }) => uri);
}

/** The definition with its user interface under the name that clients read it by. */
export function renameUiResources(
  definition: Definition,
  rename: (uri: string) => string,
): Definition {
  const meta = definition["_meta"];
  if (!isRecord(meta)) return definition;
  const renamed = Object.fromEntries(
    Object.entries(meta).map(([key, value]) => {
      if (key === flatKey && isResourceUri(value)) return [key, rename(value)];
      if (key !== "ui" || !isRecord(value) || !isResourceUri(value["resourceUri"])) {
        return [key, value];
      }
      return [key, { ...value, resourceUri: rename(value["resourceUri"]) }];
    }),
  );
  return { ...definition, _meta: renamed };
}
