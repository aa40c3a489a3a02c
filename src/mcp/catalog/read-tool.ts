/**
 * Reads one tool definition of an upstream. What a client could choke on is refused here, so that
 * one bad tool never spoils the list; everything else is kept as the server wrote it.
 */
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import { isObjectSchema, toolShape } from "./item-shapes.ts";
import { readParameterHeaders } from "./parameter-headers.ts";
import type { ItemReading, ReadItem } from "./read-item.ts";
import { readItem, refuseItem } from "./read-item.ts";

export interface ToolDefinition extends ReadItem {
  readonly inputSchema: JsonObject;
  /** Its boolean hints. */
  readonly annotations: JsonObject;
  /** `Mcp-Param-…` by full name, with the JSON pointer of the argument that each mirrors. */
  readonly parameterHeaders: ReadonlyMap<string, string>;
  /** True where its `outputSchema` is one that only the modern era knows. */
  readonly wrapsResult: boolean;
}

const hintNames = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] as const;
const namePattern = /^[A-Za-z0-9_.\-/]{1,128}$/;

/** Reads a definition; a refusal says why in a few words for the operator's log. */
export function readTool(listed: unknown): ItemReading<ToolDefinition> {
  const reading = readItem(listed, "name", toolShape);
  if (!reading.ok) return reading;
  const { name, definition } = reading.item;
  const { inputSchema, outputSchema, annotations } = definition;
  if (!namePattern.test(name)) {
    return refuseItem(name, "its name is not 1 to 128 of A-Z a-z 0-9 _ . - /");
  }
  if (!isJsonObject(inputSchema)) return refuseItem(name, "its inputSchema is no object");
  const headers = readParameterHeaders(inputSchema);
  if (!headers.ok) return refuseItem(name, headers.reason);
  const item = {
    ...reading.item,
    inputSchema,
    annotations: isJsonObject(annotations) ? hintsOf(annotations) : {},
    parameterHeaders: headers.pointers,
    wrapsResult: outputSchema !== undefined && !isObjectSchema(outputSchema),
  };
  return { ok: true, item };
}

/** The standard hints alone: policy sees no text that a server chose. */
function hintsOf(annotations: JsonObject): JsonObject {
  const hints = hintNames.flatMap((hint) => {
    const value = annotations[hint];
    return typeof value === "boolean" ? [[hint, value] as const] : [];
  });
  return Object.fromEntries(hints);
}
