/**
 * The gateway's own prefix for members of `_meta` and of the data of errors, by which a client knows
 * who speaks, and the one member that clients may say.
 */

/** Before every key that only the gateway may say. */
export const reservedPrefix = "io.mcp-gateway/";

/** Member of a request's `_meta` in which a trusted runtime names the conversation. */
export const conversationMember = "io.mcp-gateway/conversation";
/** It as the record names what is not passed on, in `params`. */
export const conversationPointer = `/_meta/${conversationMember}`;

/** True for a key under the prefix. */
export function isReserved(key: string): boolean {
  return key.startsWith(reservedPrefix);
}
