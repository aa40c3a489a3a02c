/**
 * Log messages of servers as clients see them.
 */
import type { ServerConfig } from "../config/config.ts";
import type { ClientNotice } from "./gateway.ts";

/** A log message with its server's name in front of its logger's. */
export function presentLogMessage(server: ServerConfig, notice: ClientNotice): ClientNotice {
  if (notice.method !== "notifications/message" || server.naming === "bare") return notice;
  const { logger } = notice.params;
  const name = typeof logger === "string" ? `${server.id}/${logger}` : server.id;
  return { ...notice, params: { ...notice.params, logger: name } };
}
