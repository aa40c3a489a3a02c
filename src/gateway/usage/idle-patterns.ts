/**
 * Patterns of counters that name no tool of their server: a misspelt one counts nothing, and nobody
 * would hear of it.
 */
import { matchesToolPattern } from "../../policy/combine/match-pattern.ts";
import type { CountedLayer } from "./counted-layers.ts";

/** A tool as its server knows it. */
export interface ListedTool {
  readonly server: string;
  readonly name: string;
}

export interface IdlePattern {
  readonly layer: string;
  readonly counter: string;
  readonly pattern: string;
}

/**
 * Those of servers whose tools are among `tools`. What is no tool is not listed here, so a pattern
 * with a type in front is not looked at, and neither is one for all servers.
 */
export function idlePatterns(
  layers: readonly CountedLayer[],
  tools: readonly ListedTool[],
): readonly IdlePattern[] {
  return layers.flatMap((layer) =>
    layer.counters.flatMap(({ name: counter, tools: patterns = [] }) =>
      patterns
        .filter((pattern) => isIdle(layer, pattern, tools))
        .map((pattern) => ({ layer: layer.name, counter, pattern })),
    ),
  );
}

function isIdle({ name, kind }: CountedLayer, pattern: string, tools: readonly ListedTool[]) {
  if (pattern.includes(":")) return false;
  const [first = ""] = pattern.split("/");
  const server = kind === "server" ? name : pattern.includes("/") ? first : undefined;
  const listed = tools.filter((tool) => tool.server === server);
  return listed.length > 0 && !listed.some((tool) => matches(pattern, tool));
}

function matches(pattern: string, { server, name }: ListedTool): boolean {
  return matchesToolPattern(pattern, server, name);
}
