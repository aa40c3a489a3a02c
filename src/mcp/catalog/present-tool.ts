/**
 * A tool's definition as a client of one era sees it: in the members that this era has, with schemas
 * that it accepts. All else stays as the server wrote it.
 */
import { isRecord } from "../../contract/json.ts";
import type { Era } from "../wire/method-table.ts";
import type { CatalogTool } from "./catalog-item.ts";
import { legacyInputSchema, legacyOutputSchema } from "./legacy-schema.ts";
import type { Definition } from "./read-item.ts";

/** The item of `tools/list`, under its exposed name. */
export function presentTool(tool: CatalogTool, era: Era): Definition {
  if (era === "modern") return withoutExecution(tool.shown);
  const { inputSchema, outputSchema } = tool.shown;
  return {
    ...tool.shown,
    inputSchema: isRecord(inputSchema) ? legacyInputSchema(inputSchema) : inputSchema,
    ...(isRecord(outputSchema) ? { outputSchema: legacyOutputSchema(outputSchema) } : {}),
  };
}

/** Whether a tool runs as a task is no member of the modern era's definition. */
function withoutExecution(definition: Definition): Definition {
  const { execution: _, ...rest } = definition;
  return rest;
}
