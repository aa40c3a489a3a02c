/**
 * Step 1: what an exposed name stands for. A name is looked up whole; it is never split.
 */
import type { Target } from "./call.ts";
import type { GatewayParts } from "./parts.ts";

/** `undefined` where no running server lists such a tool; waits for servers that still start. */
export async function resolve(
  parts: GatewayParts,
  exposedName: string,
): Promise<Target | undefined> {
  const tool = await parts.fleet.find(exposedName);
  if (tool === undefined) return undefined;
  const server = parts.config.servers.get(tool.server);
  const upstream = parts.fleet.upstream(tool.server);
  return server === undefined || upstream === undefined ? undefined : { tool, server, upstream };
}
