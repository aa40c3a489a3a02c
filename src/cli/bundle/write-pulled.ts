/**
 * Writes what was pulled: the archive into a file, or with a closing slash its files into a folder
 * of their own. Names in an archive were checked when it was opened: none leads out of the folder.
 */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { openArchive } from "../../bundle/archive.ts";
import { codeOf } from "../../errors.ts";
import { exitCodes } from "../exit-code.ts";
import { CliError } from "../io.ts";

/**
 * Writes.
 *
 * @param place - a file, or a folder with a slash at its end, which has to be new or empty
 * @throws CliError
 */
export async function writePulled(cwd: string, place: string, archive: Uint8Array): Promise<void> {
  const path = resolve(cwd, place);
  const isFolder = /[/\\]$/.test(place);
  if (isFolder) await requireEmpty(path, place);
  try {
    if (isFolder) await writeFiles(path, archive);
    else await writeFile(path, archive);
  } catch (thrown) {
    const advice =
      codeOf(thrown) === "EISDIR" ? "; it is a folder, which needs a slash at its end" : "";
    throw new CliError(exitCodes.unexpected, `cannot write ${path}${advice}`, { cause: thrown });
  }
}

/** Files of another bundle that stay behind would become part of this one. */
async function requireEmpty(path: string, place: string): Promise<void> {
  const names = await readdir(path).catch((thrown: unknown) => {
    if (codeOf(thrown) === "ENOENT") return [];
    throw new CliError(exitCodes.unexpected, `cannot read ${path} as a folder`, { cause: thrown });
  });
  if (names.length === 0) return;
  throw new CliError(
    exitCodes.usage,
    `expected ${place} to be new or empty, found ${names.length} files in it`,
  );
}

async function writeFiles(folder: string, archive: Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of openArchive(archive)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content, { flag: "wx" });
  }
}
