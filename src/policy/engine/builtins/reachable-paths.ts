/**
 * `graph.reachable_paths`: every path through a graph from some nodes on, to where it ends or comes
 * back to itself. Their number can grow with every node, so it is bounded.
 */
import type { OpaValue } from "../opa-value.ts";
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import { canonicalText } from "./canonical-text.ts";
import { itemsOf } from "./operands.ts";
import { writeArray, writeSet, writeValue } from "./values.ts";

interface Walk {
  /** Neighbours by the printed node; a node that is no list has none. */
  readonly edges: ReadonlyMap<string, readonly OpaValue[]>;
  /** Paths by their printed nodes. */
  readonly found: Map<string, readonly OpaValue[]>;
  steps: number;
}

const maxSteps = 1_000_000;

const reachablePaths: Builtin = ([graph, initial]) => {
  const roots = itemsOf(initial);
  if (graph?.kind !== "object" || roots === undefined) return undefined;
  const edges = new Map(
    graph.members.map(([node, neighbours]) => [canonicalText(node), itemsOf(neighbours) ?? []]),
  );
  const walk: Walk = { edges, found: new Map(), steps: 0 };
  for (const root of roots) {
    const name = canonicalText(root);
    const neighbours = edges.get(name);
    if (neighbours?.length === 0) keep(walk, [root]);
    for (const neighbour of neighbours ?? []) follow(walk, neighbour, [root], new Set([name]));
  }
  return writeSet([...walk.found.values()].map((path) => writeArray(path.map(writeValue))));
};

/** The first neighbour of a root may be the root itself: OPA goes there once. */
function follow(
  walk: Walk,
  node: OpaValue,
  before: readonly OpaValue[],
  seenBefore: ReadonlySet<string>,
): void {
  walk.steps += 1 + before.length;
  if (walk.steps > maxSteps) throw new Error(`expected paths of at most ${maxSteps} nodes in all`);
  const name = canonicalText(node);
  const neighbours = walk.edges.get(name);
  if (neighbours === undefined) {
    keep(walk, before);
    return;
  }
  const path = [...before, node];
  if (neighbours.length === 0) keep(walk, path);
  const seen = new Set([...seenBefore, name]);
  for (const neighbour of neighbours) {
    if (seen.has(canonicalText(neighbour))) keep(walk, path);
    else follow(walk, neighbour, path, seen);
  }
}

function keep({ found }: Walk, path: readonly OpaValue[]): void {
  found.set(path.map(canonicalText).join("\n"), path);
}

export const graphBuiltins: BuiltinGroup = { "graph.reachable_paths": reachablePaths };
