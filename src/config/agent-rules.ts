/**
 * Whom a sub-agent names as its parent has to be known, and nobody is above himself: of an unknown
 * parent nothing could be said, and the sub-agent would see nothing.
 */
import { isRecord } from "../contract/json.ts";
import { maxAncestors } from "./ancestors.ts";
import { membersOf, valueAt } from "./config-document.ts";
import type { ConfigPath, Finding } from "./config-document.ts";

/** Problems of every `parent` in the file. */
export function agentFindings(value: unknown): readonly Finding[] {
  const named = agentsIn(value);
  const parents = new Map(named.map(({ id, agent }) => [id, valueAt(agent, ["parent"])]));
  return named.flatMap(({ agent, path: owner }) => {
    const parent = valueAt(agent, ["parent"]);
    if (typeof parent !== "string" || parent === "") return [];
    const path = [...owner, "parent"];
    if (!parents.has(parent)) {
      const message = `${path.join(".")}: expected an agent of agents, found ${JSON.stringify(parent)}`;
      return [{ path, message }];
    }
    if (!isTooLong(parent, parents)) return [];
    const message = `${path.join(".")}: expected at most ${maxAncestors} agents above one another and no circle, found more`;
    return [{ path, message }];
  });
}

interface AgentPlace {
  readonly id: unknown;
  readonly agent: unknown;
  readonly path: ConfigPath;
}

/** In the order in which one of the same id replaces the one before. */
function agentsIn(value: unknown): readonly AgentPlace[] {
  const tokens = valueAt(value, ["http", "authorization", "tokens"]);
  const placeOf = (path: ConfigPath): AgentPlace => {
    const agent = valueAt(value, path);
    return { id: valueAt(agent, ["id"]), agent, path };
  };
  return [
    ...(Array.isArray(tokens) ? tokens : []).map((_, index) =>
      placeOf(["http", "authorization", "tokens", index, "agent"]),
    ),
    placeOf(["agent"]),
    ...membersOf(value, ["agents"]).map(([id, agent]) => ({ id, agent, path: ["agents", id] })),
  ].filter(({ agent }) => isRecord(agent));
}

function isTooLong(first: string, parents: ReadonlyMap<unknown, unknown>): boolean {
  let above: unknown = first;
  for (let count = 0; count < maxAncestors; count += 1) {
    above = parents.get(above);
    if (typeof above !== "string") return false;
  }
  return true;
}
