/**
 * Where the schemas inside of a document are, by URI and by JSON pointer. Nothing is ever fetched.
 */
import type { OpaValue } from "../../opa-value.ts";
import { unusable } from "../../schema/schema-error.ts";
import { findAt, readPath } from "../edit-value.ts";
import { membersOf } from "./schema-subject.ts";

export interface References {
  /** The schema that a reference inside of another means. */
  readonly find: (reference: string, from: OpaValue) => OpaValue;
}

const literal = new Set(["const", "enum"]);
/** Their members are named by whoever wrote the schema, and are no keywords. */
const named = new Set(["properties", "patternProperties", "dependencies"]);

/** Finds all that a document names. */
export function createReferences(document: OpaValue): References {
  const byUri = new Map<string, OpaValue>([["", document]]);
  const bases = new Map<OpaValue, string>();
  collect(document, "", { byUri, bases });
  return {
    find: (reference, from) => {
      const uri = resolve(bases.get(from) ?? "", reference);
      const whole = byUri.get(uri);
      if (whole !== undefined) return whole;
      const [base = "", fragment = ""] = uri.split("#");
      const resource = byUri.get(base) ?? byUri.get(`${base}#`);
      const path = readPath({ kind: "string", value: unescapeFragment(fragment) });
      const found =
        fragment === "" || fragment.startsWith("/") ? findAt(resource, path ?? []) : undefined;
      if (found !== undefined) return found;
      throw unusable(`Reference ${reference} must be canonical and inside of the schema`);
    },
  };
}

function collect(
  value: OpaValue,
  base: string,
  found: { readonly byUri: Map<string, OpaValue>; readonly bases: Map<OpaValue, string> },
): void {
  if (value.kind === "array") {
    for (const item of value.items) collect(item, base, found);
    return;
  }
  const members = membersOf(value);
  const id = members.get("id") ?? members.get("$id");
  const uri = id?.kind === "string" ? resolve(base, id.value) : base;
  if (id?.kind === "string") found.byUri.set(uri, value);
  found.bases.set(value, uri);
  for (const [name, member] of members) {
    if (literal.has(name)) continue;
    if (!named.has(name)) collect(member, uri, found);
    else for (const schema of membersOf(member).values()) collect(schema, uri, found);
  }
}

function resolve(base: string, reference: string): string {
  if (reference.startsWith("#")) return base.replace(/#.*$/s, "") + reference.replace(/^#$/, "");
  return URL.canParse(reference, base || undefined)
    ? new URL(reference, base || undefined).href
    : reference;
}

function unescapeFragment(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}
