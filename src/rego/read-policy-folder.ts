/**
 * Reads a policy from a folder of sources: `*.rego`, `data.json` or `data.yaml` at any level (the
 * folder is the path into `data`), and `.manifest`. Nothing is passed over in silence: what a
 * bundle does not take is listed. A policy's own mistakes are left to the toolchain.
 */
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { parse as parseYaml } from "yaml";
import * as z from "zod";
import type { Json, JsonObject } from "../contract/json.ts";
import { isJsonObject } from "../contract/json.ts";
import { codeOf, messageOf } from "../errors.ts";
import type { PolicyManifest, PolicySources } from "./create-rego-toolchain.ts";
import { mergeDocuments } from "./merge-documents.ts";
import { RegoError } from "./rego-error.ts";

/** A policy folder: its sources, and the files that are no part of them. */
export interface PolicyFolder extends PolicySources {
  readonly modules: Readonly<Record<string, string>>;
  readonly data: JsonObject;
  readonly manifest: PolicyManifest;
  /** Paths below the folder, sorted. */
  readonly ignored: readonly string[];
}

const manifestSchema = z.strictObject({
  revision: z.string().optional(),
  roots: z.array(z.string()).optional(),
  rego_version: z.literal([0, 1]).optional(),
  metadata: z.record(z.string(), z.json()).optional(),
});

/**
 * Reads a folder.
 *
 * @throws RegoError `rego_invalid` for a folder without Rego, or a file that cannot be read
 */
export async function readPolicyFolder(folder: string): Promise<PolicyFolder> {
  const files = await listFiles(folder);
  const modules: Record<string, string> = {};
  const ignored: string[] = [];
  let data: JsonObject = {};
  let manifest: PolicyManifest = {};
  for (const path of files) {
    const kind = kindOf(path);
    if (kind === "ignored") ignored.push(path);
    else if (kind === "module") modules[path] = await readText(folder, path);
    else if (kind === "manifest") manifest = parseManifest(await readText(folder, path), folder);
    else data = mergeDocuments(data, await readDataFile(folder, path), join(folder, path));
  }
  if (Object.keys(modules).length === 0) {
    throw invalid(`${folder}: expected a policy (*.rego), found ${files.length} other files`);
  }
  return { modules, data, manifest, ignored };
}

/**
 * Paths of the files that a policy is made of, sorted.
 *
 * @throws RegoError `rego_invalid` where there is no folder
 */
export async function listPolicyFiles(folder: string): Promise<readonly string[]> {
  return (await listFiles(folder)).filter((path) => kindOf(path) !== "ignored");
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => {
        const path = relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/");
        return entry.isFile() ? path : `${path} (not a regular file)`;
      })
      .toSorted();
  } catch (thrown) {
    const why = codeOf(thrown) ?? messageOf(thrown);
    throw invalid(`expected a folder with a policy at ${folder}, found none (${why})`, thrown);
  }
}

function kindOf(path: string): "module" | "data" | "manifest" | "ignored" {
  if (path.endsWith(".rego")) return "module";
  if (/(?:^|\/)data\.(?:json|ya?ml)$/.test(path)) return "data";
  return path === ".manifest" ? "manifest" : "ignored";
}

async function readText(folder: string, path: string): Promise<string> {
  const bytes = await readFile(join(folder, path));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (thrown) {
    throw invalid(`${join(folder, path)}: expected UTF-8 text`, thrown);
  }
}

async function readDataFile(folder: string, path: string): Promise<JsonObject> {
  const where = join(folder, path);
  const text = await readText(folder, path);
  const value = path.endsWith(".json") ? parseJson(text, where) : parseDocument(text, where);
  refuseLargeIntegers(value, where);
  const folders = path.split("/").slice(0, -1);
  const document = folders.reduceRight<Json>((inner, name) => ({ [name]: inner }), value);
  if (isJsonObject(document)) return document;
  throw invalid(`${where}: expected an object, found another value`);
}

function parseJson(text: string, where: string): Json {
  try {
    return z.json().parse(JSON.parse(text));
  } catch (thrown) {
    throw invalid(`${where}: expected JSON: ${messageOf(thrown)}`, thrown);
  }
}

function parseDocument(text: string, where: string): Json {
  try {
    return z.json().parse(parseYaml(text));
  } catch (thrown) {
    throw invalid(`${where}: expected YAML that JSON can say: ${messageOf(thrown)}`, thrown);
  }
}

/** A number that JavaScript cannot hold would reach the policy changed. */
function refuseLargeIntegers(value: Json, where: string): void {
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw invalid(
      `${where}: expected integers within ±2^53, found a larger one; write it as a string`,
    );
  }
  if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) refuseLargeIntegers(member, where);
  }
}

function parseManifest(text: string, folder: string): PolicyManifest {
  const where = join(folder, ".manifest");
  const parsed = manifestSchema.safeParse(parseJson(text, where));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const at = issue?.path.map(String).join(".") ?? "";
    const place = at === "" ? "" : ` at ${at}`;
    const hint = issue?.code === "unrecognized_keys" ? misplaced(issue.keys) : "";
    throw invalid(`${where}: ${issue?.message ?? "not a manifest"}${place}${hint}`);
  }
  return parsed.data;
}

/** What this gateway adds to a manifest is below `metadata`. */
function misplaced(keys: readonly string[]): string {
  const known = ["name", "layer", "written_for", "counters", "masks", "requires"];
  const found = keys.filter((key) => known.includes(key));
  return found.length === 0 ? "" : `; write ${found.join(", ")} under "metadata"`;
}

function invalid(message: string, cause?: unknown): RegoError {
  return new RegoError("rego_invalid", message, cause === undefined ? {} : { cause });
}
