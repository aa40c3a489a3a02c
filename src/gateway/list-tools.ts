/**
 * The list that a client sees: the catalogue without what policy hides from this agent.
 */
import type { CatalogTool } from "../mcp/catalog/catalog.ts";
import type { ToolListing } from "./gateway.ts";
import type { GatewayParts } from "./parts.ts";

/** Lists the visible tools, in catalogue order, under their exposed names. */
export async function listTools(parts: GatewayParts): Promise<ToolListing> {
  await Promise.all([parts.fleet.settled(), parts.policiesReady]);
  const { tools, version } = parts.fleet.catalog;
  const servers = [...new Set(tools.map((tool) => tool.server))];
  const visible = await Promise.all(
    servers.map((server) =>
      visibleTools(
        parts,
        tools.filter((tool) => tool.server === server),
      ),
    ),
  );
  const shown = visible.flat().map((tool) => ({ ...tool.definition, name: tool.exposedName }));
  return { tools: shown, version };
}

async function visibleTools(
  parts: GatewayParts,
  tools: readonly CatalogTool[],
): Promise<readonly CatalogTool[]> {
  const sights = await parts.visibility.ofAll(tools);
  return tools.filter((_, index) => sights[index]?.isVisible === true);
}
