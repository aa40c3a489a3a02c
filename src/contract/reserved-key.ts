/**
 * The gateway's own prefix for members of `_meta` and of the data of errors, by which a client knows
 * who speaks.
 */

/** Before every key that only the gateway may say. */
export const reservedPrefix = "io.mcp-gateway/";

/** True for a key under the prefix. */
export function isReserved(key: string): boolean {
  return key.startsWith(reservedPrefix);
}
