/**
 * Says that something below a folder may have changed: the operating system's word where it gives
 * one, and a look now and then, since some file systems give none.
 */
import type { FSWatcher } from "node:fs";
import { watch } from "node:fs";

const settleMs = 50;
const lookMs = 1000;

/**
 * Watches until the returned function is called.
 *
 * @param look - changes its answer when the folder changes; a failure counts as an answer
 */
export function watchFolder(
  path: string,
  look: () => Promise<string>,
  onChange: () => void,
): () => void {
  let seen: string | undefined;
  let settling: NodeJS.Timeout | undefined;
  let isClosed = false;

  const check = async (): Promise<void> => {
    const found = await look().catch(() => "");
    const isNew = seen !== undefined && seen !== found;
    seen = found;
    if (isNew && !isClosed) onChange();
  };
  // An editor writes in several steps; they are one change.
  const settle = (): void => {
    clearTimeout(settling);
    settling = setTimeout(() => void check(), settleMs);
  };
  const watcher = startWatcher(path, settle);
  const timer = setInterval(() => void check(), lookMs);
  timer.unref();
  void check();

  return () => {
    isClosed = true;
    clearTimeout(settling);
    clearInterval(timer);
    watcher?.close();
  };
}

/** Where watching fails the look now and then is enough. */
function startWatcher(path: string, onEvent: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, { recursive: true, persistent: false }, onEvent);
    watcher.on("error", () => {
      watcher.close();
    });
    return watcher;
  } catch {
    return undefined;
  }
}
