/**
 * Tells whoever watches that records have arrived. A statement of its own behind the batch, because a
 * notification that the server refuses must not cost the records, and without a payload, because
 * everybody who may connect may listen.
 */
import type { Log } from "../../contract/ambient.ts";
import type { Queryable } from "../../database/database.ts";
import { messageOf } from "../../errors.ts";

/** The channel of NOTIFY. */
export const arrivalChannel = "mcp_gateway_decisions";

const notifyArrival = `NOTIFY ${arrivalChannel}`;

/** Never throws: whoever hears nothing looks by itself after a while. */
export async function tellArrival(database: Queryable, log: Log): Promise<void> {
  try {
    await database.query(notifyArrival);
  } catch (thrown) {
    log.debug({ reason: messageOf(thrown) }, "arrival of decisions not told");
  }
}
