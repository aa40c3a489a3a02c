/**
 * How far a writer's spool was exported, in a file in the writer's own folder: it goes where the
 * folder goes. Whoever removes segments asks it first. The export is named by a key, so that another
 * target begins with whatever is there.
 */
import { createHash } from "node:crypto";
import { open, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ExportConfig } from "../../config/decisions-config.ts";
import { codeOf } from "../../errors.ts";
import type { SpoolPosition } from "../spool/committed-mark.ts";
import { comparePositions, spoolStart } from "../spool/committed-mark.ts";
import { nodeFileSystem } from "../spool/file-system.ts";
import { segmentName } from "../spool/segment.ts";
import { listSegments } from "../spool/writer-folder.ts";

/** Everything before it was taken, or given up and counted. */
export interface ExportedPlace extends SpoolPosition {
  /** Of the last record before it; 0 where nothing was exported. */
  readonly seq: number;
}

const keyDigits = 16;
const placePattern = /^(\d{1,15}) (\d{1,15}) (\d{1,15})\n$/;

/** Names an export by where it goes and what it writes, never by the keys that it shows there. */
export function exportKey({ to, format }: ExportConfig): string {
  const text = JSON.stringify([to, format]);
  return createHash("sha256").update(text).digest("hex").slice(0, keyDigits);
}

/** The beginning where there is none, or none that can be read: then records come twice. */
export async function readPlace(folder: string, key: string): Promise<ExportedPlace> {
  const text = await readFile(placeFile(folder, key), "utf8").catch(() => "");
  const [, segment, offset, seq] = placePattern.exec(text) ?? [];
  if (seq === undefined) return { ...spoolStart, seq: 0 };
  return { segment: Number(segment), offset: Number(offset), seq: Number(seq) };
}

/** Durable when it resolves. */
export async function writePlace(folder: string, key: string, place: ExportedPlace): Promise<void> {
  const { segment, offset, seq } = place;
  const draft = `${placeFile(folder, key)}.tmp`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(`${segment} ${offset} ${seq}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, placeFile(folder, key));
  await nodeFileSystem.syncFolder(folder);
}

/** Whether nothing of an ended writer's spool is left to export; its torn tail is cut. */
export async function isExported(folder: string, key: string): Promise<boolean> {
  const last = (await listSegments(folder)).at(-1);
  if (last === undefined) return true;
  const reached = await readPlace(folder, key);
  if (reached.segment !== last) return reached.segment > last;
  try {
    const { size } = await stat(join(folder, segmentName(last)));
    return comparePositions(reached, { segment: last, offset: size }) >= 0;
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return true;
    throw thrown;
  }
}

function placeFile(folder: string, key: string): string {
  return join(folder, `exported-${key}`);
}
