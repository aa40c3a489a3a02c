/**
 * What the reading of all four kinds of listed items has in common: the shape that clients check,
 * the bounds of a definition, the gateway's own `_meta` prefix, the digest. Names and URIs are read
 * by the file of each kind.
 */
import type * as z from "zod/mini";
import { canonicalJson } from "../../contract/canonical-json.ts";
import { isRecord } from "../../contract/json.ts";
import { isReserved } from "../../contract/reserved-key.ts";
import { sha256Of } from "../../contract/sha256.ts";

/** A definition as a server listed it. */
export type Definition = Readonly<Record<string, unknown>>;

export interface ReadItem {
  /** The upstream's own, exact name, URI or URI template. */
  readonly name: string;
  /** The whole definition as listed. */
  readonly definition: Definition;
  /** `sha256:` of the whole definition in RFC 8785 form. */
  readonly digest: string;
}

export type ItemReading<Item> =
  | { readonly ok: true; readonly item: Item }
  | {
      readonly ok: false;
      /** What the item calls itself, as far as it does. */
      readonly name: string;
      readonly reason: string;
    };

const maxDefinitionLength = 256 * 1024;
const maxNameLength = 200;
/** `JSON.stringify` writes a surrogate as an escape only where its other half is missing. */
const loneSurrogate = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

/** Reads a definition; `nameKey` is the member by which its kind is known. */
export function readItem(
  listed: unknown,
  nameKey: "name" | "uri" | "uriTemplate",
  shape: z.ZodMiniType,
): ItemReading<ReadItem> {
  if (!isRecord(listed)) return refuseItem("", "a definition that is no object");
  const name = listed[nameKey];
  if (typeof name !== "string") return refuseItem("", `its ${nameKey} is no text`);
  const checked = shape.safeParse(listed, { jitless: true });
  if (!checked.success) {
    const place = checked.error.issues[0]?.path.join(".") ?? "";
    return refuseItem(name, `its ${place.slice(0, maxNameLength)} is missing or of another type`);
  }
  const meta = listed["_meta"];
  if (isRecord(meta) && Object.keys(meta).some(isReserved)) {
    return refuseItem(name, "its _meta speaks in the gateway's name");
  }
  const canonical = canonicalJson(listed);
  if (canonical.length > maxDefinitionLength) return refuseItem(name, "its definition is too long");
  if (loneSurrogate.test(canonical)) {
    return refuseItem(name, "its definition holds a lone surrogate");
  }
  return { ok: true, item: { name, definition: listed, digest: sha256Of(canonical) } };
}

/** A refusal for the operator's log. */
export function refuseItem(name: string, reason: string): ItemReading<never> {
  return { ok: false, name: name.slice(0, maxNameLength), reason };
}
