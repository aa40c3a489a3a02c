/**
 * Which agents a release is for. A version counts only where the operator or a verified token says
 * it; what a client claims of itself is never asked here.
 */
import type { AgentIdentity } from "./policy-input.ts";

/**
 * Why this agent is not one that a release was made for; `undefined`: it is.
 *
 * @param agents - versions by id of the agent; `undefined`: the release is for every agent
 */
export function agentProblem(
  agents: ReadonlyMap<string, readonly string[]> | undefined,
  { id, version }: Pick<AgentIdentity, "id" | "version">,
): string | undefined {
  if (agents === undefined) return undefined;
  const versions = agents.get(id);
  if (version !== null && versions?.includes(version) === true) return undefined;
  const found = `found ${named(id, version)}`;
  if (versions === undefined) {
    return `expected an agent that the release names (${shown([...agents.keys()])}), ${found}`;
  }
  return `expected agent "${id}" in version ${shown(versions)}, as the release has it, ${found}`;
}

const maxShown = 5;

function shown(names: readonly string[]): string {
  const quoted = names.slice(0, maxShown).map((name) => JSON.stringify(name));
  return quoted.join(" or ");
}

function named(id: string, version: string | null): string {
  return `${JSON.stringify(id)} ${version === null ? "of no known version" : `in version ${JSON.stringify(version)}`}`;
}
