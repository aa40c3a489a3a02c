/**
 * The agents above a sub-agent, as far as the operator vouches for them.
 */
import type { AgentIdentity } from "../contract/policy-input.ts";

/**
 * Ids of the agents above a sub-agent as far as anybody knows them: whoever refuses one of these
 * refuses what works for it, whether or not the rest of the chain is known.
 */
export function ancestorIds(
  { parent }: Pick<AgentIdentity, "parent">,
  known: ReadonlyMap<string, AgentIdentity>,
): readonly string[] {
  const ids = new Set<string>();
  for (let id = parent; id !== null && !ids.has(id); id = known.get(id)?.parent ?? null)
    ids.add(id);
  return [...ids];
}

/** Agents above one another; a chain that is longer, or goes in a circle, counts as unknown. */
export const maxAncestors = 8;

/**
 * Parent, parent's parent and so on; `undefined` where one of them is not known, so that nobody can
 * say what the sub-agent may do.
 */
export function ancestorsOf(
  { parent }: Pick<AgentIdentity, "parent">,
  known: ReadonlyMap<string, AgentIdentity>,
): readonly AgentIdentity[] | undefined {
  const ancestors: AgentIdentity[] = [];
  for (let id = parent; id !== null;) {
    const ancestor = known.get(id);
    if (ancestor === undefined || ancestors.length === maxAncestors) return undefined;
    ancestors.push(ancestor);
    id = ancestor.parent;
  }
  return ancestors;
}
