/**
 * What an agent may be in at all. Several identity bundles intersect: an action has to be inside
 * the capabilities of each of them. A bundle that states none restricts nothing. What a sub-agent
 * does has to be inside those of every agent above it too.
 */
import type { Capabilities, LayerOutput, LayerVerdict, RuleMatch } from "../../contract/layer.ts";
import { matchesPattern } from "../../contract/name-pattern.ts";
import type { FromLayer } from "./combined-decision.ts";
import { gatewayMatch } from "./denials.ts";
import { matchesToolPattern } from "./match-pattern.ts";

/** The action and the agent's scope, as far as capabilities look at them. */
export interface CapabilitySubject {
  readonly action: { readonly server: string; readonly tool: string };
  readonly scope: string | null;
}

/** One denial for each identity layer whose capabilities do not hold the action. */
export function outsideCapabilities(
  verdicts: readonly LayerVerdict[],
  subject: CapabilitySubject,
): readonly FromLayer<RuleMatch>[] {
  return verdicts.flatMap((verdict) => {
    if (!verdict.ok || verdict.layer.kind !== "identity") return [];
    const stated = statedCapabilities(verdict.output);
    if (stated.every((capabilities) => isWithinCapabilities(capabilities, subject))) return [];
    return [{ layer: verdict.layer, match: gatewayMatch("outside_capabilities") }];
  });
}

/** The agent's own, then those of the agents above it. */
function statedCapabilities({
  capabilities,
  parentCapabilities = [],
}: LayerOutput): readonly Capabilities[] {
  return capabilities === undefined ? parentCapabilities : [capabilities, ...parentCapabilities];
}

/** True where server, tool and scope are each inside. An agent without scope needs `*`. */
export function isWithinCapabilities(
  capabilities: Capabilities,
  { action, scope }: CapabilitySubject,
): boolean {
  const { server, tool } = action;
  return (
    capabilities.servers.some((pattern) => matchesPattern(pattern, server)) &&
    capabilities.tools.some((pattern) => matchesToolPattern(pattern, server, tool)) &&
    capabilities.scopes.some((pattern) => pattern === "*" || matchesScope(pattern, scope))
  );
}

function matchesScope(pattern: string, scope: string | null): boolean {
  return scope !== null && matchesPattern(pattern, scope);
}
