/**
 * A log for what is asked outside a gateway: what goes wrong is in the answer.
 */
import type { Log } from "../../../contract/ambient.ts";

const ignore = (): void => {};

/** Says nothing. */
export const silentLog: Log = {
  error: ignore,
  warn: ignore,
  info: ignore,
  debug: ignore,
  child: () => silentLog,
};
