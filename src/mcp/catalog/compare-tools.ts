/**
 * What a server lists beside what is pinned of it, for the people who decide about pins. Which tools
 * may be called is for the catalogue to say.
 */
import type { DefinitionChange } from "./diff-definition.ts";
import { diffDefinition } from "./diff-definition.ts";
import type { PinReading } from "./pin-file.ts";
import type { RefusedItem } from "./catalog-item.ts";
import { readTool } from "./read-tool.ts";
import type { ToolDefinition } from "./read-tool.ts";

export interface ComparedTool {
  readonly tool: ToolDefinition;
  readonly state: "unchanged" | "changed" | "new";
  /** RFC 3339; `undefined` for a new one, and where pins cannot be read. */
  readonly pinnedAt: string | undefined;
  /** From the pinned definition to the listed one. */
  readonly changes: readonly DefinitionChange[];
}

export interface Comparison {
  /** In the order of the list. */
  readonly tools: readonly ComparedTool[];
  /** Listed, and never exposed. */
  readonly refused: readonly Pick<RefusedItem, "name" | "reason">[];
}

/** Compares a list as it was sent with pins; where those cannot be read every tool is changed. */
export function compareTools(listed: readonly unknown[], pins: PinReading): Comparison {
  const readings = listed.map((one) => readTool(one));
  return {
    tools: readings.flatMap((reading) => (reading.ok ? [compare(reading.item, pins)] : [])),
    refused: readings.flatMap((reading) => (reading.ok ? [] : [reading])),
  };
}

function compare(tool: ToolDefinition, reading: PinReading): ComparedTool {
  if (!reading.ok) return { tool, state: "changed", pinnedAt: undefined, changes: [] };
  const pin = reading.pins.get(tool.name);
  if (pin === undefined) return { tool, state: "new", pinnedAt: undefined, changes: [] };
  const state = pin.digest === tool.digest ? "unchanged" : "changed";
  const changes = state === "changed" ? diffDefinition(pin.definition, tool.definition) : [];
  return { tool, state, pinnedAt: pin.pinnedAt, changes };
}
