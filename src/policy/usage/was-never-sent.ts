/**
 * Whether a request to a store had certainly no effect: no connection was made, or no file was opened.
 * An answer that did not come leaves that open.
 */
import { codeOf } from "../../errors.ts";

/** Codes of what fails before anything is sent or written. */
const beforehand: ReadonlySet<string | undefined> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EACCES",
  "EMFILE",
  "ENOENT",
  "ENOTDIR",
  "EROFS",
  // PostgreSQL: cannot_connect_now.
  "57P03",
]);

/** True where an error, or what caused it, says that nothing was done. */
export function wasNeverSent(thrown: unknown): boolean {
  let found = thrown;
  for (let depth = 0; depth < 8 && found !== undefined; depth += 1) {
    if (beforehand.has(codeOf(found))) return true;
    found = found instanceof Error ? found.cause : undefined;
  }
  return false;
}
