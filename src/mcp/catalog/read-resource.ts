/**
 * Reads one resource or resource template of an upstream. URIs are kept and compared byte for byte:
 * what one side normalises and the other does not is how a request reaches what no policy saw.
 */
import { resourceShape, templateShape } from "./item-shapes.ts";
import { compileTemplate } from "./match-template.ts";
import type { UriPattern } from "./match-template.ts";
import type { ItemReading, ReadItem } from "./read-item.ts";
import { readItem, refuseItem } from "./read-item.ts";
import { isResourceUri, maxUriLength } from "./resource-uri.ts";

export interface TemplateDefinition extends ReadItem {
  readonly pattern: UriPattern;
}

/** Reads a resource; a refusal says why in a few words for the operator's log. */
export function readResource(listed: unknown): ItemReading<ReadItem> {
  const reading = readItem(listed, "uri", resourceShape);
  if (!reading.ok) return reading;
  const { name } = reading.item;
  if (!isResourceUri(name)) {
    return refuseItem(name, `its uri is not 1 to ${maxUriLength} visible characters`);
  }
  return reading;
}

/** Reads a template; a refusal says why in a few words for the operator's log. */
export function readTemplate(listed: unknown): ItemReading<TemplateDefinition> {
  const reading = readItem(listed, "uriTemplate", templateShape);
  if (!reading.ok) return reading;
  const compiled = compileTemplate(reading.item.name);
  if (!compiled.ok) return refuseItem(reading.item.name, compiled.reason);
  return { ok: true, item: { ...reading.item, pattern: compiled.pattern } };
}
