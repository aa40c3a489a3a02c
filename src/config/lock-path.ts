/**
 * Where the lock of a configuration is. It is known here, apart from what reads a lock, because every
 * start asks whether there is one.
 */
import { dirname, join } from "node:path";

/** Name of the file. */
export const lockName = "mcp-gateway.lock.json";

/** Path of the lock of a configuration file: beside it. */
export function lockPathOf(configPath: string): string {
  return join(dirname(configPath), lockName);
}
