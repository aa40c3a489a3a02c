/**
 * A file of lines as a sink. It is opened for each batch, so that whoever rotates it by a rename gets
 * the next batch in a new file, and what was taken is on the disk. A line that a crash left without
 * its end is ended and not cut off, because the file may be somebody else's: its event comes again.
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { DecisionError } from "../decision-error.ts";
import { nodeFileSystem } from "../spool/file-system.ts";
import type { EventSink, RefusedLine } from "./event-sink.ts";
import { linesText } from "./event-sink.ts";

const newline = "\n";
/** A pipe without a reader would hold up whoever opens it. */
const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/** Appends; what it makes has mode 0600. */
export function fileSink(path: string): EventSink {
  return { name: path, take: (lines) => append(path, linesText(lines)) };
}

async function append(path: string, text: string): Promise<readonly RefusedLine[]> {
  const file = await open(path, flags, 0o600);
  try {
    const found = await file.stat();
    if (!found.isFile()) {
      const message = `expected a regular file at ${path}, found something else`;
      throw new DecisionError("export_failed", message);
    }
    const isWhole = found.size === 0 || (await endsLine(file, found.size));
    await file.writeFile(isWhole ? text : `${newline}${text}`);
    await file.sync();
    if (found.size === 0) await nodeFileSystem.syncFolder(dirname(path));
  } finally {
    await file.close();
  }
  return [];
}

async function endsLine(file: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString("latin1") === newline;
}
