/**
 * What of an allowed action is not of the release that its server has to be: the server is moved
 * meanwhile, the agent is not one that it was made for, or another bundle decided.
 */
import { agentProblem } from "../../contract/agent-release.ts";
import type { ServerConfig } from "../../config/config.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action, Decided } from "./action.ts";

/** A sentence for the agent; `undefined` where everything fits, or the server has no release. */
export function releaseMisfit(
  { fleet }: Pick<GatewayParts, "fleet">,
  { principal }: Action,
  server: ServerConfig,
  { verdicts }: Pick<Decided, "verdicts">,
): string | undefined {
  if (!fleet.programs.isCurrent(server)) {
    return "The server was moved to another release meanwhile. Ask again.";
  }
  const { release } = server;
  if (release === undefined) return undefined;
  const problem = agentProblem(release.agents, principal.agent);
  if (problem !== undefined) {
    return `The server's release is for other agents: ${problem}. Run an agent that the release names, or ask the operator of the gateway for a release that names this one.`;
  }
  const other = verdicts.some(({ layer: { name, digest } }) => {
    const bound = release.bundles.get(name);
    return bound !== undefined && digest !== bound;
  });
  if (!other) return undefined;
  return "The policy that is active is not the one that was released with this server. Try again in some seconds, then tell the operator of the gateway.";
}
