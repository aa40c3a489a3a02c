/**
 * A disk of a few megabytes, which only root may mount.
 */
import { execFileSync } from "node:child_process";

/**
 * @param {string} path an empty folder
 * @param {number} bytes
 */
export function tryMount(path, bytes) {
  try {
    const size = `size=${Math.ceil(bytes / 1024)}k`;
    execFileSync("mount", ["-t", "tmpfs", "-o", size, "torture", path], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
