/**
 * Puts one input document together from its parts. Worker and record use the same function, so what
 * is recorded is what was judged.
 */
import type { InputParts } from "../../contract/policy-input.ts";

/** Who reads a document: a server's own bundle sees only its server's part of the context. */
export type Audience = "organisation" | "server";

/** What is known about a call only while its layers are asked. */
export interface InputFindings {
  readonly dataClasses: readonly string[];
  readonly labels: readonly string[];
  /** JSON text of `input.layers`. */
  readonly layersJson: string;
  /** JSON text of `input.denials`; for the overrides layer only. */
  readonly denialsJson: string | undefined;
}

/**
 * The document as the organisation's layers, or as the server's own bundle, may see it. `usage` is
 * that of one layer; for the record, where there is none, it has those of all by their names.
 */
export function assembleInput(
  parts: InputParts,
  audience: Audience,
  { dataClasses, labels, layersJson, denialsJson }: InputFindings,
  usageJson: string = allUsage(parts),
): string {
  const context = audience === "server" ? parts.serverContextJson : parts.contextJson;
  const classes = `"data_classes_referenced":${JSON.stringify(dataClasses)}`;
  const denials = denialsJson === undefined ? "" : `,"denials":${denialsJson}`;
  return (
    `${parts.open},${classes},"labels":${JSON.stringify(labels)}},"context":${context}` +
    `,"usage":${usageJson}${parts.close},"layers":${layersJson}${denials}}`
  );
}

/** `input.usage` of one layer. */
export function usageOf({ usage = {} }: InputParts, layer: string): string {
  return usage[layer] ?? "{}";
}

function allUsage({ usage = {} }: InputParts): string {
  const members = Object.entries(usage).map(([layer, json]) => `${JSON.stringify(layer)}:${json}`);
  return `{${members.join(",")}}`;
}
