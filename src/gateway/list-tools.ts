/**
 * The list that a client sees: the catalogue without what policy hides from this agent. List and
 * call come to the same verdict, because both ask the same rules about the same list-phase input.
 */
import { isHidden } from "../policy/combine/is-hidden.ts";
import type { CatalogTool } from "../mcp/catalog/catalog.ts";
import { buildListInput } from "../policy/input/build-input.ts";
import { classify } from "../policy/input/classify.ts";
import type { ToolListing } from "./gateway.ts";
import type { GatewayParts } from "./parts.ts";

/** Lists the visible tools, in catalogue order, under their exposed names. */
export async function listTools(parts: GatewayParts): Promise<ToolListing> {
  await Promise.all([parts.fleet.started, parts.policiesReady]);
  const { tools, version } = parts.fleet.catalog;
  const servers = [...new Set(tools.map((tool) => tool.server))];
  const visible = await Promise.all(
    servers.map((server) =>
      visibleTools(
        parts,
        server,
        tools.filter((tool) => tool.server === server),
      ),
    ),
  );
  const shown = visible.flat().map((tool) => ({ ...tool.definition, name: tool.exposedName }));
  return { tools: shown, version };
}

async function visibleTools(
  parts: GatewayParts,
  server: string,
  tools: readonly CatalogTool[],
): Promise<readonly CatalogTool[]> {
  const verdicts = await parts.engine.visibility({
    server,
    inputs: tools.map((tool) => listInput(parts, tool)),
    timeMs: parts.clock.nowMs(),
  });
  const { scope } = parts.config.agent;
  return tools.filter((tool, index) => {
    const action = { server, tool: tool.name };
    return !isHidden(verdicts[index]?.verdicts ?? [], { action, scope });
  });
}

function listInput({ config }: GatewayParts, tool: CatalogTool): string {
  const server = config.servers.get(tool.server);
  const action = {
    server: tool.server,
    tool: tool.name,
    annotations: tool.annotations,
    definition_digest: tool.digest,
    destination: { region: server?.region ?? null, external: server?.external ?? false },
  };
  return buildListInput(config, action, classify(server?.tools.get(tool.name)));
}
