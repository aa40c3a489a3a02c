/**
 * The members of a `notifications/progress` that pass.
 */
import type { CallProgress } from "../../contract/progress.ts";

const maxMessageLength = 4096;

/** `undefined` where it says no progress; a long message is cut. */
export function readProgress(params: Readonly<Record<string, unknown>>): CallProgress | undefined {
  const { progress, total, message } = params;
  if (typeof progress !== "number") return undefined;
  return {
    progress,
    ...(typeof total === "number" ? { total } : {}),
    ...(typeof message === "string" ? { message: message.slice(0, maxMessageLength) } : {}),
  };
}
