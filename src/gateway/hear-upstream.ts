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
import { unaskedLayers } from "./policies/unasked-layers.ts";
import type { Client, ClientNotice } from "./gateway.ts";
import type { GatewayParts } from "./parts.ts";
import { withoutReservedMeta } from "./reserved-members.ts";

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
          return parts.ears.tell(server, key, notification, (_, notice) =>
            presentLogMessage(server, notice),
          );
        case "notifications/elicitation/complete":
          return parts.ears.tell(server, key, notification, (_, { params: said }) => ({
            method,
            params: withoutReservedMeta(said),
          }));
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
  { config, engine, tasks }: Pick<GatewayParts, "config" | "engine" | "tasks">,
  { key, agent }: Principal,
  server: string,
  id: string,
): boolean {
  const isJudged = engine.judgesResults(server, unaskedLayers(config, agent, server));
  return isJudged || tasks.isGuarded(key, server, id);
}

/** Only whoever made the task hears of it, and nobody while its tool is blocked. */
export function presentTaskNotice(
  parts: GatewayParts,
  { id: server }: ServerConfig,
  { principal }: Client,
  { method, params }: ClientNotice,
): ClientNotice | undefined {
  const id = params["taskId"];
  if (typeof id !== "string") return undefined;
  const tool = parts.tasks.toolOf(principal.key, server, id);
  if (tool === undefined || isBlocked(parts, principal, { server, tool })) return undefined;
  const taskId = sealTask(parts.seal, principal.key, { server, id, tool });
  // Questions are decided where they are fetched, with the task.
  const { inputRequests: _, result, ...told } = withoutReservedMeta(params);
  if (isTaskGuarded(parts, principal, server, id)) {
    const { statusMessage: _message, error: _error, _meta, ...bare } = told;
    return { method, params: { ...bare, taskId } };
  }
  const shown = isRecord(result) ? { result: withoutReservedMeta(result) } : {};
  return { method, params: { ...told, ...shown, taskId } };
}
