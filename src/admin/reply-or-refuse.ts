/**
 * What a route answers where its work is refused. What is the caller's fault is no failure of the
 * gateway, and neither is a store that is away; anything else is, and goes to the log.
 */
import { codeOf, messageOf } from "../errors.ts";
import type { AdminReply } from "./admin-route.ts";
import { replyWith } from "./admin-route.ts";

/** Statuses by error code. */
export type RefusalStatuses = ReadonlyMap<string, number>;

/** The reply of `work`, or the error with the status of its code; rejects for any other error. */
export async function replyOrRefuse(
  statuses: RefusalStatuses,
  work: () => Promise<AdminReply>,
): Promise<AdminReply> {
  try {
    return await work();
  } catch (thrown) {
    const code = codeOf(thrown);
    const status = code === undefined ? undefined : statuses.get(code);
    if (status === undefined) throw thrown;
    return replyWith({ error: { code, message: messageOf(thrown) } }, status);
  }
}
