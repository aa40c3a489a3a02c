/**
 * Whether a program is the one that was released together with its policy: by what it says it is, and
 * by how it describes the tool that is called.
 */
import type { ServerConfig, ServerRelease } from "../../config/config.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { CatalogTool } from "../../mcp/catalog/catalog-item.ts";
import type { UpstreamConnection } from "../../mcp/upstream/upstream-connection.ts";

/** True for a connection to the released program, and for a tool that it was released with. */
export function isOfRelease(
  { release }: Pick<ServerConfig, "release">,
  { greeting }: Pick<UpstreamConnection, "greeting">,
  tool?: CatalogTool,
): boolean {
  const isProgram = isReleasedProgram(release, greeting.serverInfo);
  return isProgram && (tool === undefined || isReleasedTool(release, tool));
}

/** True where the program says that it is the released one, or the release does not say which it is. */
function isReleasedProgram(release: ServerRelease | undefined, serverInfo: JsonObject): boolean {
  const expected = release?.serverInfo;
  if (expected === undefined) return true;
  return serverInfo["name"] === expected.name && serverInfo["version"] === expected.version;
}

/** True where the release has this tool, described like this. */
export function isReleasedTool(
  release: ServerRelease | undefined,
  { name, digest }: Pick<CatalogTool, "name" | "digest">,
): boolean {
  return release === undefined || release.pins.get(name) === digest;
}
