/**
 * Where the compiled file of a worker thread lies. Node 20 runs no TypeScript in a worker, so a
 * gateway that runs from `src/` (tests) starts its workers from `dist/`, and one that runs from
 * `dist/` starts them beside itself. Bundlers keep this file's place relative to the workers.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * URL of a worker's compiled file.
 *
 * @param name Path below `src/` without its ending, `policy/engine/worker`.
 * @param here URL of this module; handed in by tests.
 * @throws Error when the file is not there, saying that the build has to run first.
 */
export function workerUrl(name: string, here: string = import.meta.url): URL {
  const folder = here.endsWith(".ts") ? "../../dist/" : "../";
  const url = new URL(`${folder}${name}.js`, here);
  if (existsSync(fileURLToPath(url))) return url;
  throw new Error(
    `worker "${name}" expected as compiled javascript, found no such file; run "npm run build" first`,
  );
}
