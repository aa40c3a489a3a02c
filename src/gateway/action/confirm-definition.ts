/**
 * Between steps 4 and 5: what policy allowed is allowed for a definition that was pinned. A server
 * that has to be started for the call may be another program than the one that was listed, so it is
 * listed first.
 */
import type { GatewayParts } from "../parts.ts";
import type { Decided } from "./action.ts";
import type { Allowed } from "./conclude.ts";
import { refusal } from "./refuse.ts";

/** What was decided, or a denial where the running server describes the tool otherwise. */
export async function confirmDefinition(
  parts: GatewayParts,
  { request, action, target }: Allowed,
  decided: Decided,
): Promise<Decided> {
  const { tool } = target;
  const { hidden, answer } = decided.combined;
  const isAllowedCall = action.type === "tool_call" && answer.allow && !hidden;
  if (tool === undefined || !isAllowedCall) return decided;
  const isConfirmed = await parts.fleet.isAsPinned(tool, request.client);
  return isConfirmed ? decided : refusal(parts, action, target, "tool_changed");
}
