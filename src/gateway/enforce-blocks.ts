/**
 * What follows at once from a block: calls under way, held calls and subscriptions end, and clients
 * are told that their lists may have changed. Whatever comes later is refused where it is decided.
 */
import { isBlocked, stopOf } from "./action/stopped.ts";
import type { GatewayParts } from "./parts.ts";

/** Call it whenever something was blocked or lifted. */
export function enforceBlocks(parts: GatewayParts): void {
  const { flights, heldCalls, subscriptions, ears } = parts;
  flights.endWhere(({ action, target }) => stopOf(parts, action, target)?.code === "blocked");
  heldCalls.dropWhere(({ principal, place }) => isBlocked(parts, principal, place));
  subscriptions.endWhere(({ principal }, { id: server }) =>
    isBlocked(parts, principal, { server, tool: undefined }),
  );
  const kinds = new Set(["tools", "prompts", "resources"] as const);
  ears.tellChange({ kinds, connection: undefined }, undefined);
}
