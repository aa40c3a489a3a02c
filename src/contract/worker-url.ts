/**
 * Where the bundled file of a worker thread lies: always in `dist/bin`. Node 20 runs no TypeScript
 * in a worker, so the tests, which run from `src/`, start the same bundled workers.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "./package-root.ts";

/**
 * URL of a worker's bundled file.
 *
 * @param name Name of the bundle without its ending, `policy-worker`.
 * @param root Folder of the package; handed in by tests.
 * @throws Error when the file is not there, saying that the build has to run first.
 */
export function workerUrl(name: string, root: string = packageRoot()): URL {
  const path = join(root, "dist", "bin", `${name}.js`);
  if (existsSync(path)) return pathToFileURL(path);
  throw new Error(
    `worker "${name}" expected as bundled javascript, found no such file; run "npm run build" first`,
  );
}
