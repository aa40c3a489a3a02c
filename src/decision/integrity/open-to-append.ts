/**
 * Opens a file of statements for one more line. A link in its place is refused: what is signed is
 * appended nowhere else.
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;

/** For its owner alone; made where it is not there. */
export async function openToAppend(path: string): Promise<FileHandle> {
  return await open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
}
