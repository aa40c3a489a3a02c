/**
 * The members of listed items whose type clients check. A client refuses a whole list for one member
 * of another type, so that an item with one is left out before it gets there. Members that are not
 * named here pass as the server wrote them.
 */
import * as z from "zod/mini";
import { isRecord } from "../../contract/json.ts";

const text = z.optional(z.string());
const flag = z.optional(z.boolean());
const record = z.custom<Readonly<Record<string, unknown>>>(isRecord);

const icon = z.looseObject({
  src: z.string(),
  mimeType: text,
  sizes: z.optional(z.array(z.string())),
  theme: z.optional(z.enum(["light", "dark"])),
});

const common = {
  title: text,
  description: text,
  icons: z.optional(z.array(icon)),
  _meta: z.optional(record),
} as const;

const contentAnnotations = z.looseObject({
  audience: z.optional(z.array(z.enum(["user", "assistant"]))),
  priority: z.optional(z.number().check(z.minimum(0), z.maximum(1))),
  lastModified: z.optional(z.iso.datetime({ offset: true })),
});

/** What stands under a key of `properties`: a schema, which may be `true` or `false`. */
const subschema = z.union([record, z.boolean()]);
const objectSchema = z.looseObject({
  type: z.literal("object"),
  properties: z.optional(z.record(z.string(), subschema)),
  required: z.optional(z.array(z.string())),
});
/** An output schema of the modern era alone. */
const otherSchema = z.custom((value) => isRecord(value) && !isObjectSchema(value));

export const toolShape = z.looseObject({
  ...common,
  inputSchema: objectSchema,
  outputSchema: z.optional(z.union([objectSchema, otherSchema])),
  annotations: z.optional(
    z.looseObject({
      title: text,
      readOnlyHint: flag,
      destructiveHint: flag,
      idempotentHint: flag,
      openWorldHint: flag,
    }),
  ),
  execution: z.optional(
    z.looseObject({ taskSupport: z.optional(z.enum(["required", "optional", "forbidden"])) }),
  ),
});

export const promptShape = z.looseObject({
  ...common,
  arguments: z.optional(
    z.array(z.looseObject({ name: z.string(), title: text, description: text, required: flag })),
  ),
});

export const resourceShape = z.looseObject({
  ...common,
  name: z.string(),
  mimeType: text,
  size: z.optional(z.number()),
  annotations: z.optional(contentAnnotations),
});

export const templateShape = z.looseObject({
  ...common,
  name: z.string(),
  mimeType: text,
  annotations: z.optional(contentAnnotations),
});

/** True for a schema that says `"type": "object"` at its root, as both eras understand it. */
export function isObjectSchema(schema: unknown): boolean {
  return isRecord(schema) && schema["type"] === "object";
}
