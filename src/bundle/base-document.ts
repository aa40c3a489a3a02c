/**
 * The base document of a bundle, which policies see as `data`: the text of its `data.json`, or of
 * several put together by folder as OPA does. Text is kept as it was shipped where it can be, so
 * that numbers stay exactly as written.
 */
import { isRecord } from "../contract/json.ts";
import type { BundleError } from "./bundle-error.ts";
import { unexpected } from "./bundle-error.ts";
import { decodeBundleText, parseBundleJson } from "./bundle-manifest.ts";

/**
 * JSON text of the base document; `{}` where the bundle ships none.
 *
 * @throws BundleError `bundle_manifest_invalid` for YAML data, for a document that is no object and
 *   for two files that give one value
 */
export function readBaseDocument(files: ReadonlyMap<string, Buffer>, where: string): string {
  const yaml = [...files.keys()].find((path) => /(?:^|\/)data\.ya?ml$/.test(path));
  if (yaml !== undefined) {
    throw invalid(where, "data as data.json; opa build and bundle push convert it", yaml);
  }
  const parts = [...files].filter(([path]) => /(?:^|\/)data\.json$/.test(path));
  const documents = parts.map(([path, bytes]) => readPart(path, bytes, where));
  const [first, ...others] = parts;
  if (first === undefined) return "{}";
  if (others.length === 0 && first[0] === "data.json") return decodeBundleText(first[1], where);
  return JSON.stringify(documents.reduce((left, right) => merge(left, right, where)));
}

function readPart(path: string, bytes: Buffer, where: string): Readonly<Record<string, unknown>> {
  const value = parseBundleJson(bytes, `${where}: ${path}`);
  const folders = path.split("/").slice(0, -1);
  const document = folders.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
  if (isRecord(document)) return document;
  throw invalid(where, "an object in data.json", "another value");
}

function merge(
  left: Readonly<Record<string, unknown>>,
  right: Readonly<Record<string, unknown>>,
  where: string,
): Readonly<Record<string, unknown>> {
  const merged = new Map(Object.entries(left));
  for (const [key, value] of Object.entries(right)) {
    const other = merged.get(key);
    if (other !== undefined && !(isRecord(other) && isRecord(value))) {
      throw invalid(where, "each value of data in one file", `${JSON.stringify(key)} in two`);
    }
    merged.set(key, isRecord(other) && isRecord(value) ? merge(other, value, where) : value);
  }
  return Object.fromEntries(merged);
}

function invalid(where: string, expected: string, found: string): BundleError {
  return unexpected("bundle_manifest_invalid", where, expected, found);
}
