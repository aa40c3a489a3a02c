/**
 * Where the compiled file of a worker thread lies: always in `dist/`. Node 20 runs no TypeScript in
 * a worker, so the tests, which run from `src/`, start the same compiled workers.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "./package-root.ts";

/**
 * URL of a worker's compiled file.
 *
 * @param name Path below `src/` without its ending, `policy/engine/worker`.
 * @param root Folder of the package; handed in by tests.
 * @throws Error when the file is not there, saying that the build has to run first.
 */
export function workerUrl(name: string, root: string = packageRoot()): URL {
  const path = join(root, "dist", `${name}.js`);
  if (existsSync(path)) return pathToFileURL(path);
  throw new Error(
    `worker "${name}" expected as compiled javascript, found no such file; run "npm run build" first`,
  );
}
