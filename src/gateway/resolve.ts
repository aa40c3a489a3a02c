/**
 * Step 1: what an exposed name stands for. A name is looked up whole; it is never split.
 */
import type { Target } from "./call.ts";
import type { GatewayParts } from "./parts.ts";

/** `undefined` where no running server lists such a tool. */
export function resolve(parts: GatewayParts, exposedName: string): Target | undefined {
  const tool = parts.fleet.catalog.byExposedName.get(exposedName);
  if (tool === undefined) return undefined;
  const server = parts.config.servers.get(tool.server);
  const upstream = parts.fleet.upstream(tool.server);
  return server === undefined || upstream === undefined ? undefined : { tool, server, upstream };
}
