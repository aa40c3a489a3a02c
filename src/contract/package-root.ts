/**
 * Where the package's own files are (`sql/`, `schema/`, `toolchain/`, compiled workers): the same
 * from the sources, from `dist`, from the bundled bin and when installed.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The folder that holds the package's `package.json`, found by walking up from this module.
 *
 * @throws Error where there is none, which means that the installation is broken.
 */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) {
      throw new Error(
        "expected a package.json above the gateway's own files, found none; install it again",
      );
    }
    folder = parent;
  }
  return folder;
}
