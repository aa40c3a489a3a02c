/**
 * How far an export has come, by writer, in a file that is replaced whole: an export that goes on
 * begins behind what was taken, and repeats at most what was sent and not yet noted.
 */
import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod";
import { codeOf, messageOf } from "../../errors.ts";
import { DecisionError } from "../decision-error.ts";
import type { ExportedPlaces } from "./exported-record.ts";

const schema = z.strictObject({
  version: z.literal(1),
  places: z.record(z.string(), z.int().nonnegative()),
});

/** The places of a file; none where there is no file yet. Throws `export_failed`. */
export async function readPosition(path: string): Promise<ExportedPlaces> {
  try {
    const { places } = schema.parse(JSON.parse(await readFile(path, "utf8")));
    return new Map(Object.entries(places));
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return new Map();
    const message = `expected the position of an export in ${path}, found: ${messageOf(cause)}; remove it to begin anew`;
    throw new DecisionError("export_failed", message, { cause });
  }
}

/** Durable when it resolves. */
export async function writePosition(path: string, places: ExportedPlaces): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(JSON.stringify({ version: 1, places: Object.fromEntries(places) }));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
