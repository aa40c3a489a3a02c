/**
 * The digest of everything that the artifact is made from: Go sources without tests, the module
 * files and the build script. It lets a machine without Go see that somebody changed a source and
 * did not build again.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Hashes path and content of each source, in the order of their paths.
 *
 * @param {string} folder the folder `toolchain`
 * @returns {string} `sha256:` and 64 hex digits
 */
export function sourcesDigest(folder) {
  const digest = createHash("sha256");
  for (const path of sourcePaths(folder)) {
    const content = createHash("sha256")
      .update(readFileSync(join(folder, path)))
      .digest("hex");
    digest.update(`${content}  ${path}\n`);
  }
  return `sha256:${digest.digest("hex")}`;
}

/**
 * @param {string} folder
 * @returns {string[]} paths relative to the folder, with forward slashes, sorted
 */
function sourcePaths(folder) {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".go") && !path.endsWith("_test.go"))
    .concat("go.mod", "go.sum", "build.sh")
    .toSorted();
}
