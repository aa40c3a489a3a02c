/**
 * Who the client of the matrix is, what it can do, and what it answers a server: the same through
 * the gateway as directly, so that what a server makes of it can be compared.
 */
import { z } from "zod";
import type { Json, Message } from "./matrix-client.ts";

export const clientInfo = { name: "matrix", version: "1.0.0" } as const;

export const capabilities = {
  sampling: {},
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
} as const;

export interface Root {
  readonly uri: string;
  readonly name?: string;
}

export const samplingAnswer = {
  // In the order that the SDKs' schemas make of it.
  model: "matrix-model",
  stopReason: "endTurn",
  role: "assistant",
  content: { type: "text", text: "Paris" },
} as const;

const choice = z.looseObject({ const: z.string().optional() });
const field = z.looseObject({
  type: z.string().optional(),
  default: z.unknown().optional(),
  enum: z.array(z.string()).optional(),
  oneOf: z.array(choice).optional(),
});
const form = z.looseObject({
  requestedSchema: z.looseObject({ properties: z.record(z.string(), field) }).optional(),
});

/** Answers an elicitation: a form is filled with defaults and fixed values. */
export function elicitationAnswer(params: Json): { action: "accept"; content?: Filled } {
  const { requestedSchema } = form.parse(params);
  if (requestedSchema === undefined) return { action: "accept" };
  const filled = Object.entries(requestedSchema.properties).map(([name, property]) => [
    name,
    fill(property),
  ]);
  return { action: "accept", content: Object.fromEntries(filled) };
}

type Filled = Record<string, string | number | boolean | string[]>;

const plain = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);

function fill(property: z.output<typeof field>): Filled[string] {
  const given = plain.safeParse(property.default);
  if (given.success) return given.data;
  const [option] = property.enum ?? property.oneOf?.map(({ const: value }) => value ?? "") ?? [];
  if (option !== undefined) return option;
  if (property.type === "boolean") return true;
  if (property.type === "integer" || property.type === "number") return 7;
  const formats = new Map([
    ["email", "ada@example.org"],
    ["uri", "https://example.org/ada"],
    ["date", "1815-12-10"],
  ]);
  return formats.get(String(property["format"])) ?? "Ada";
}

/** Answers any question of a server; `undefined` for one that no client knows. */
export function answerTo({ method, params }: Message, roots: readonly Root[]): object | undefined {
  switch (method) {
    case "sampling/createMessage":
      return samplingAnswer;
    case "elicitation/create":
      return elicitationAnswer(params);
    case "roots/list":
      return { roots };
    case "ping":
      return {};
    default:
      return undefined;
  }
}
