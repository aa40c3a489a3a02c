/**
 * Which counters a decision has to ask: those that the active bundles declare, of the layers that
 * have a say about its server, for the tools and actions that they name.
 */
import type { CounterDeclaration } from "../../contract/counter.ts";
import { readCounters } from "../../contract/counter.ts";
import type { LayerKind } from "../../contract/bundle.ts";
import { matchesToolPattern } from "../../policy/combine/match-pattern.ts";
import type { EngineLayer } from "../../policy/engine/policy-engine.ts";
import { subjectName } from "../visibility.ts";
import type { CountedTarget } from "./counted-call.ts";

/** The counters of one layer. */
export interface CountedLayer {
  readonly name: string;
  readonly kind: LayerKind;
  readonly counters: readonly CounterDeclaration[];
  /** False where its bundle declares what nobody can read; nothing of it is let through then. */
  readonly isReadable: boolean;
}

/** The layers of a set that count anything; what a canary declares counts when it is the policy. */
export function countedLayers(layers: readonly EngineLayer[]): readonly CountedLayer[] {
  return layers.flatMap(({ name, kind, bundle, canaryOf }): readonly CountedLayer[] => {
    if (canaryOf !== undefined) return [];
    const reading = readCounters(bundle?.metadata["counters"]);
    if (!reading.ok) return [{ name, kind, counters: [], isReadable: false }];
    const { counters } = reading;
    return counters.length === 0 ? [] : [{ name, kind, counters, isReadable: true }];
  });
}

/** True where a layer is asked about what is done with a server. */
export function hasSay(
  { name, kind }: CountedLayer,
  server: string,
  unasked: readonly string[],
): boolean {
  return kind === "server" ? name === server : !unasked.includes(name);
}

/** True where an action is one of those that a counter is for. */
export function isCounted(
  { tools, actions }: CounterDeclaration,
  { server, name, tool, action: { type } }: CountedTarget,
): boolean {
  if (!actions.includes(type)) return false;
  const subject = subjectName(type, tool?.name ?? name);
  return tools?.some((pattern) => matchesToolPattern(pattern, server.id, subject)) ?? true;
}
