/**
 * Log messages and other notices of servers as clients see them.
 */
import type { ServerConfig } from "../config/config.ts";
import type { ClientNotice } from "./gateway.ts";
import { withoutReservedMeta } from "./reserved-members.ts";
import { cleanMembers, textRulesOf } from "./texts/clean-members.ts";

/** By what clients know what a notice is about. */
const names: ReadonlySet<string> = new Set(["taskId", "elicitationId", "uri"]);

/** A log message with its server's name in front of its logger's; `undefined` where it does not pass. */
export function presentLogMessage(
  server: ServerConfig,
  notice: ClientNotice,
): ClientNotice | undefined {
  const { method } = notice;
  const params = cleanMembers(textRulesOf(server), withoutReservedMeta(notice.params), names);
  if (params === undefined) return undefined;
  if (method !== "notifications/message" || server.naming === "bare") return { method, params };
  const { logger } = params;
  const name = typeof logger === "string" ? `${server.id}/${logger}` : server.id;
  return { method, params: { ...params, logger: name } };
}
