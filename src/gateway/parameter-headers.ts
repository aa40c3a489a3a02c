/**
 * Which headers a modern client has to send with a tool's arguments. Of a tool that it may not see it
 * learns nothing: a missing header would tell it from one that does not exist.
 */
import { toolAction } from "./action/resolve.ts";
import type { Client } from "./gateway.ts";
import type { GatewayParts } from "./parts.ts";

const none: ReadonlyMap<string, string> = new Map();

/** By full header name the JSON pointer of its argument; empty for what is hidden or unknown. */
export async function parameterHeaders(
  parts: GatewayParts,
  client: Client,
  exposedName: string,
): Promise<ReadonlyMap<string, string>> {
  const tool = await parts.fleet.lookUp(client, ({ toolsByName }) => toolsByName.get(exposedName));
  const server = tool && parts.config.servers.get(tool.server);
  if (tool === undefined || server === undefined || tool.parameterHeaders.size === 0) return none;
  await parts.policiesReady;
  const { isVisible } = await parts.visibility.of(
    client.principal,
    toolAction(server, tool, "tool_call"),
  );
  return isVisible ? tool.parameterHeaders : none;
}
