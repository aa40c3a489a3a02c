/**
 * What of a writer's spool is in the database and stays on disk, because an export is behind. A mark
 * in the writer's folder says so to whoever counts what waits for the database; where it is lost, too
 * much is counted.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isExported } from "../export/exported-place.ts";
import { listSegments } from "../spool/writer-folder.ts";

const markName = "shipped";

/** Says that everything in the segments before this one is in the database. */
export async function markShipped(folder: string, before: number): Promise<void> {
  await writeFile(join(folder, markName), `${before}\n`, { mode: 0o600 });
}

/** The first segment that the database may not have; 0 where nothing is said. */
export async function shippedBefore(folder: string): Promise<number> {
  const text = await readFile(join(folder, markName), "utf8").catch(() => "");
  return /^\d{1,10}\n$/.test(text) ? Number(text) : 0;
}

/** Whether an ended writer's folder, all of which is in the database, has to stay; marks it then. */
export async function keepForExport(folder: string, key: string | undefined): Promise<boolean> {
  if (key === undefined || (await isExported(folder, key))) return false;
  const last = (await listSegments(folder)).at(-1) ?? 0;
  await markShipped(folder, last + 1);
  return true;
}
