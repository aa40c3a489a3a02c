/**
 * Reads one tool definition of an upstream. What a client could choke on is refused here, so that
 * one bad tool never spoils the list; everything else is kept as the server wrote it.
 */
import { canonicalJson } from "../../contract/canonical-json.ts";
import { sha256Of } from "../../contract/sha256.ts";
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject, isRecord } from "../../contract/json.ts";

export interface ToolDefinition {
  /** The upstream's own, exact name. */
  readonly name: string;
  /** The whole definition as listed. */
  readonly definition: Readonly<Record<string, unknown>>;
  /** Its boolean hints. */
  readonly annotations: JsonObject;
  /** `sha256:` of the whole definition in RFC 8785 form. */
  readonly digest: string;
}

export type ToolReading =
  | { readonly ok: true; readonly tool: ToolDefinition }
  | { readonly ok: false; readonly name: string; readonly reason: string };

const maxDefinitionLength = 256 * 1024;
/** `JSON.stringify` writes a surrogate as an escape only where its other half is missing. */
const loneSurrogate = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;
const hintNames = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] as const;
const namePattern = /^[A-Za-z0-9_.\-/]{1,128}$/;

/** Reads a definition; a refusal says why in a few words for the operator's log. */
export function readTool(listed: unknown): ToolReading {
  if (!isRecord(listed)) return { ok: false, name: "", reason: "a definition that is no object" };
  const { name, inputSchema, outputSchema, annotations } = listed;
  if (typeof name !== "string" || !namePattern.test(name)) {
    return refuse(name, "its name is not 1 to 128 of A-Z a-z 0-9 _ . - /");
  }
  if (!isRecord(inputSchema) || inputSchema["type"] !== "object") {
    return refuse(name, 'its inputSchema has no "type": "object"');
  }
  // A legacy client rejects a whole list for one output schema of another type.
  if (
    outputSchema !== undefined &&
    (!isRecord(outputSchema) || outputSchema["type"] !== "object")
  ) {
    return refuse(name, 'its outputSchema has no "type": "object"');
  }
  if (isRecord(listed["_meta"]) && Object.keys(listed["_meta"]).some(isReserved)) {
    return refuse(name, "its _meta speaks in the gateway's name");
  }
  const canonical = canonicalJson(listed);
  if (canonical.length > maxDefinitionLength) return refuse(name, "its definition is too long");
  if (loneSurrogate.test(canonical)) return refuse(name, "its definition holds a lone surrogate");
  const digest = sha256Of(canonical);
  const hints = isJsonObject(annotations) ? hintsOf(annotations) : {};
  return { ok: true, tool: { name, definition: listed, annotations: hints, digest } };
}

function isReserved(key: string): boolean {
  return key.startsWith("io.mcp-gateway/");
}

/** The standard hints alone: policy sees no text that a server chose. */
function hintsOf(annotations: JsonObject): JsonObject {
  const hints = hintNames.flatMap((hint) => {
    const value = annotations[hint];
    return typeof value === "boolean" ? [[hint, value] as const] : [];
  });
  return Object.fromEntries(hints);
}

function refuse(name: unknown, reason: string): ToolReading {
  return { ok: false, name: typeof name === "string" ? name : "", reason };
}
