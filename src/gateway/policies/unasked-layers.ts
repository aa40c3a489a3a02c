/**
 * Which layers of the organisation have no say about an action, because the operator wants them
 * asked for other servers, agents or environments. Only facts that somebody vouches for count: the
 * configured server, the verified agent with the agents above it, the configured environment.
 */
import { ancestorIds } from "../../config/ancestors.ts";
import type { GatewayConfig, LayerConfig } from "../../config/config.ts";
import { matchesPattern } from "../../contract/name-pattern.ts";
import type { AgentIdentity } from "../../contract/policy-input.ts";

const none: readonly string[] = [];

/** Names of the layers that are not asked about what this agent does with this server. */
export function unaskedLayers(
  { layers, environment, agents }: Pick<GatewayConfig, "layers" | "environment" | "agents">,
  agent: AgentIdentity,
  server: string,
): readonly string[] {
  if (layers.every(({ when }) => when === undefined)) return none;
  const above = ancestorIds(agent, agents);
  const isAsked = ({ kind, when }: LayerConfig): boolean =>
    when === undefined ||
    (isAmong(when.servers, server) &&
      isAgent(when.agents, agent, above, kind) &&
      isAmong(when.regions, environment.region) &&
      (when.isProduction ?? environment.is_production) === environment.is_production);
  return layers.filter((layer) => !isAsked(layer)).map(({ name }) => name);
}

/**
 * What an agent that nobody verified calls itself takes no layer away that could refuse, and brings
 * none that could lift a refusal. Nor does working for another agent: what may refuse that one is
 * asked about its sub-agents, what lifts its refusals is its own.
 */
function isAgent(
  patterns: readonly string[] | undefined,
  { id, authenticated }: AgentIdentity,
  above: readonly string[],
  kind: LayerConfig["kind"],
): boolean {
  if (patterns === undefined) return true;
  if (!authenticated) return kind !== "overrides";
  const ids = kind === "overrides" ? [id] : [id, ...above];
  return ids.some((one) => isAmong(patterns, one));
}

function isAmong(patterns: readonly string[] | undefined, name: string | null): boolean {
  if (patterns === undefined) return true;
  return name !== null && patterns.some((pattern) => matchesPattern(pattern, name));
}
