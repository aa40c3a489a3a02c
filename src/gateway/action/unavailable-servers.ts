/**
 * Servers that have said nothing yet, neither in this run nor in the last one: their tools are not
 * gone, nobody knows them. An agent hears of those alone that it may see, and the same whatever tool
 * it asked for.
 */
import type { Principal } from "../../contract/principal.ts";
import type { GatewayParts } from "../parts.ts";
import { actionAt } from "./resolve.ts";

/** Their ids, in the config's order. */
export async function unavailableServers(
  parts: GatewayParts,
  principal: Principal,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const server of parts.fleet.silent) {
    // With `naming: "bare"` clients never hear of the server's id.
    if (server.naming === "bare") continue;
    const anyTool = actionAt(server, "tool_call", { tool: "" });
    const { isVisible } = await parts.visibility.of(principal, anyTool);
    if (isVisible) found.push(server.id);
  }
  return found;
}
