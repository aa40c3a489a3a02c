/**
 * Between steps 4 and 5: what policy allowed is allowed for a definition that was pinned. A server
 * that has to be started for the call may be another program than the one that was listed, so it is
 * listed first. Where the lock has a release of the server, program, bundles and agent have to be those
 * that it binds.
 */
import type { Standing } from "../fleet/fleet-catalogs.ts";
import type { GatewayParts } from "../parts.ts";
import type { Client } from "../gateway.ts";
import type { Action, Decided, Target } from "./action.ts";
import type { Allowed } from "./conclude.ts";
import { refusal } from "./refuse.ts";
import { releaseMisfit } from "./release-misfit.ts";

/** What was decided, or a denial where the running server is another or describes the tool otherwise. */
export function confirmDefinition(
  parts: GatewayParts,
  { request: { client }, action, target }: Allowed,
  decided: Decided,
): Promise<Decided> {
  const { server, tool } = target;
  const called = action.type === "tool_call" ? tool : undefined;
  return confirmWith(parts, action, target, decided, () => {
    if (called !== undefined) return parts.fleet.programs.confirm(called, client);
    if (server.release === undefined) return "as_pinned";
    return parts.fleet.programs.confirmProgram(server.id, client);
  });
}

/** The same for what a server asks: it is not asked for anything while it waits for the answer. */
export async function confirmAsker(
  parts: GatewayParts,
  client: Client,
  action: Action,
  target: Target,
  decided: Decided,
): Promise<Decided> {
  const { server } = target;
  return await confirmWith(parts, action, target, decided, async () => {
    if (server.release === undefined) return "as_pinned";
    const standing = await parts.fleet.programs.confirmAsker(server.id, client);
    // Nobody else waits to find out who it was.
    return standing === "unknown" ? "other_release" : standing;
  });
}

async function confirmWith(
  parts: GatewayParts,
  action: Action,
  target: Target,
  decided: Decided,
  standingNow: () => Standing | Promise<Standing>,
): Promise<Decided> {
  const { hidden, answer } = decided.combined;
  if (hidden || !answer.allow) return decided;
  const standing = await standingNow();
  const misfit = releaseMisfit(parts, action, target.server, decided);
  if (misfit !== undefined) return refusal(parts, action, target, "release_mismatch", misfit);
  // What is unknown is decided as it was listed, and not sent: `forward` says why.
  switch (standing) {
    case "changed":
      return refusal(parts, action, target, "tool_changed");
    case "other_release":
      return refusal(parts, action, target, "release_mismatch");
    case "as_pinned":
    case "unknown":
      return decided;
  }
}
