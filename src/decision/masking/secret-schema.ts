/**
 * Which arguments a tool's input schema calls secret: `writeOnly: true`, `format: "password"`. The
 * schema is walked beside the arguments and never evaluated: what any of its branches calls secret is.
 */
import { isRecord } from "../../contract/json.ts";

/** The schemas that may speak of one place in the arguments. */
export type SchemasAt = readonly unknown[];

const sameValue = ["allOf", "anyOf", "oneOf"] as const;
const sameValueOnce = ["if", "then", "else", "not"] as const;
const anyItem = ["items", "additionalItems", "unevaluatedItems", "contains"] as const;
const anyMember = ["additionalProperties", "unevaluatedProperties"] as const;
/** What goes beyond is secret: a schema that large is no help to anybody. */
const maxSchemas = 256;
/** Of a whole schema that are looked at before each call walks it for itself. */
const maxParts = 10_000;

export class SecretSchema {
  readonly #root: unknown;

  constructor(root: unknown) {
    this.#root = root;
  }

  /** What is said of the arguments as a whole. */
  start(): SchemasAt {
    return this.#spread([this.#root]);
  }

  member(schemas: SchemasAt, name: string): SchemasAt {
    return this.#spread(schemas.flatMap((schema) => membersAt(schema, name)));
  }

  item(schemas: SchemasAt, index: number): SchemasAt {
    return this.#spread(schemas.flatMap((schema) => itemsAt(schema, index)));
  }

  /** With everything that the schemas refer to for the same value. */
  #spread(schemas: SchemasAt): SchemasAt {
    const found = new Set<unknown>();
    const pending = [...schemas];
    while (pending.length > 0) {
      const schema = pending.pop();
      if (!isRecord(schema) || found.has(schema)) continue;
      found.add(schema);
      if (found.size > maxSchemas) return [{ writeOnly: true }];
      pending.push(...sameValueOf(schema));
      for (const keyword of ["$ref", "$dynamicRef"]) {
        const target = this.#resolve(schema[keyword]);
        if (target !== undefined) pending.push(target);
      }
    }
    return [...found];
  }

  #resolve(reference: unknown): unknown {
    if (typeof reference !== "string" || !reference.startsWith("#")) return undefined;
    if (reference !== "#" && !reference.startsWith("#/")) return anchored(this.#root, reference);
    let value: unknown = this.#root;
    for (const part of decodePointer(reference)) {
      if (Array.isArray(value)) value = value[Number(part)];
      else if (isRecord(value) && Object.hasOwn(value, part)) value = value[part];
      else return undefined;
    }
    return value;
  }
}

/** Asked once of a schema, which stands behind many calls. */
const answers = new WeakMap<object, boolean>();

/** True where a schema speaks of a secret anywhere, or is too large to be read. */
export function mayCallSecret(schema: unknown): boolean {
  if (!isRecord(schema)) return false;
  const known = answers.get(schema) ?? speaksOfSecret(schema);
  answers.set(schema, known);
  return known;
}

function speaksOfSecret(schema: unknown): boolean {
  const seen = new Set<unknown>();
  const pending = [schema];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (seen.size > maxParts || isSecretAt([value])) return true;
    pending.push(...Object.values(value));
  }
  return false;
}

/** True where any of the schemas calls the value secret. */
export function isSecretAt(schemas: SchemasAt): boolean {
  return schemas.some(
    (schema) =>
      isRecord(schema) && (schema["writeOnly"] === true || schema["format"] === "password"),
  );
}

function sameValueOf(schema: Readonly<Record<string, unknown>>): readonly unknown[] {
  const dependent = schema["dependentSchemas"];
  return [
    ...sameValue.flatMap((keyword) => listOf(schema[keyword])),
    ...sameValueOnce.map((keyword) => schema[keyword]),
    ...(isRecord(dependent) ? Object.values(dependent) : []),
  ];
}

/** Patterns come from servers and are not run: what any of them says counts for every name. */
function membersAt(schema: unknown, name: string): readonly unknown[] {
  if (!isRecord(schema)) return [];
  const { properties, patternProperties } = schema;
  const own = isRecord(properties) && Object.hasOwn(properties, name) ? [properties[name]] : [];
  const matched = isRecord(patternProperties) ? Object.values(patternProperties) : [];
  return [...own, ...matched, ...anyMember.map((keyword) => schema[keyword])];
}

function itemsAt(schema: unknown, index: number): readonly unknown[] {
  if (!isRecord(schema)) return [];
  const listed = [...listOf(schema["prefixItems"]), ...listOf(schema["items"])];
  const every = anyItem.map((keyword) => schema[keyword]).filter((one) => !Array.isArray(one));
  return [...(listed.length > index ? listed : []), ...every];
}

function anchored(root: unknown, reference: string): unknown {
  const definitions = isRecord(root) ? [root["$defs"], root["definitions"]] : [];
  const name = reference.slice(1);
  return definitions
    .flatMap((all) => (isRecord(all) ? Object.values(all) : []))
    .find((one) => isRecord(one) && (one["$anchor"] === name || one["$dynamicAnchor"] === name));
}

function decodePointer(reference: string): readonly string[] {
  const parts = reference.slice(1).split("/").slice(1);
  return parts.map((part) => decoded(part).replaceAll("~1", "/").replaceAll("~0", "~"));
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
