/**
 * Log messages of servers as clients see them.
 */
import type { ServerConfig } from "../config/config.ts";
import type { ClientNotice } from "./gateway.ts";
import { withoutReservedMeta } from "./reserved-members.ts";

/** A log message with its server's name in front of its logger's. */
export function presentLogMessage(server: ServerConfig, notice: ClientNotice): ClientNotice {
  const { method } = notice;
  const params = withoutReservedMeta(notice.params);
  if (method !== "notifications/message" || server.naming === "bare") return { method, params };
  const { logger } = params;
  const name = typeof logger === "string" ? `${server.id}/${logger}` : server.id;
  return { method, params: { ...params, logger: name } };
}
