/**
 * What servers say unasked, on its way to the clients that it concerns.
 */
import { isBlocked } from "./action/stopped.ts";
import { sealTask } from "./action/tasks.ts";
import { presentLogMessage } from "./present-log-message.ts";
import type { FleetEars } from "./fleet/server-fleet.ts";
import type { ServerConfig } from "../config/config.ts";
import { isRecord } from "../contract/json.ts";
import type { Principal } from "../contract/principal.ts";
import type { Client, ClientNotice } from "./gateway.ts";
import type { GatewayParts } from "./parts.ts";
import { withoutReservedMeta } from "./reserved-members.ts";
import { cleanMembers, textRulesOf } from "./texts/clean-members.ts";

const taskNames: ReadonlySet<string> = new Set(["taskId"]);

/** The fleet is one of the parts, so that they are asked for when something is heard. */
export function hearUpstream(partsOf: () => GatewayParts): FleetEars {
  return {
    onHeard: (server, key, notification) => {
      const parts = partsOf();
      const { method, params } = notification;
      switch (method) {
        case "notifications/resources/updated":
          if (typeof params["uri"] === "string")
            parts.subscriptions.heard(server, key, params["uri"]);
          return;
        case "notifications/message":
        case "notifications/elicitation/complete":
          return parts.ears.tell(server, key, notification, ({ principal }, notice) =>
            isBlocked(parts, principal, { server: server.id, tool: undefined })
              ? undefined
              : presentLogMessage(server, notice),
          );
        case "notifications/tasks":
        case "notifications/tasks/status":
          return parts.ears.tell(server, key, notification, (client, notice) =>
            presentTaskNotice(parts, server, client, notice),
          );
        default:
          parts.log.debug({ server: server.id, method }, "notification of an upstream dropped");
      }
    },
    onConnected: (server, key, connection) =>
      partsOf().logLevels.connected(server, key, connection),
    onLost: (server, key) => partsOf().subscriptions.lost(server, key),
  };
}

/** True where its words pass with its result alone, because policy changes or judges that. */
export function isTaskGuarded(
  { canaries, engine, tasks }: Pick<GatewayParts, "canaries" | "engine" | "tasks">,
  principal: Principal,
  server: string,
  id: string,
): boolean {
  const isJudged = engine.judgesResults(server, canaries.unasked(principal, server));
  return isJudged || tasks.isGuarded(principal.key, server, id);
}

/** Only whoever made the task hears of it, and nobody while its tool is blocked. */
export function presentTaskNotice(
  parts: GatewayParts,
  config: ServerConfig,
  { principal }: Client,
  { method, params }: ClientNotice,
): ClientNotice | undefined {
  const { id: server } = config;
  const id = params["taskId"];
  if (typeof id !== "string") return undefined;
  const tool = parts.tasks.toolOf(principal.key, server, id);
  if (tool === undefined || isBlocked(parts, principal, { server, tool })) return undefined;
  const continuity = parts.tasks.continuityOf(principal.key, server, id);
  const taskId = sealTask(parts.seal, continuity, { server, id, tool });
  // Questions are decided where they are fetched, with the task.
  const { inputRequests: _, ...words } = withoutReservedMeta(params);
  const cleaned = cleanMembers(textRulesOf(config), words, taskNames);
  if (cleaned === undefined) return undefined;
  const { result, ...told } = cleaned;
  if (isTaskGuarded(parts, principal, server, id)) {
    const { statusMessage: _message, error: _error, _meta, ...bare } = told;
    return { method, params: { ...bare, taskId } };
  }
  const shown = isRecord(result) ? { result: withoutReservedMeta(result) } : {};
  return { method, params: { ...told, ...shown, taskId } };
}
