/**
 * A key that is made once in a state folder, mode 0600; gateways that start at once share one.
 */
import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../errors.ts";

/** The text of a key file, made where there is none; throws what the file system does. */
export async function keptKeyFile(
  stateDir: string,
  name: string,
  make: () => string,
): Promise<string> {
  const path = join(stateDir, name);
  return (await readKept(path)) ?? (await makeKept(stateDir, path, make()));
}

async function readKept(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

/** A link is made whole or not at all, and by one of those that try. */
async function makeKept(stateDir: string, path: string, made: string): Promise<string> {
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await writeFile(draft, made, { mode: 0o600, flag: "wx", flush: true });
  try {
    await link(draft, path);
    return made;
  } catch (thrown) {
    if (codeOf(thrown) !== "EEXIST") throw thrown;
    return await readFile(path, "utf8");
  } finally {
    await rm(draft, { force: true });
  }
}
