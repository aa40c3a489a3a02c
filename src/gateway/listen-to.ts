/**
 * A client that listens: it hears what belongs to none of its requests, and its servers may ask it
 * unprompted what the operator lists. While it listens to changes, their connections stay.
 */
import { askUnprompted } from "./action/ask-client.ts";
import { isBlocked } from "./action/stopped.ts";
import type { Client, ClientEar, ClientNotice } from "./gateway.ts";
import type { GatewayParts } from "./parts.ts";

/** Returns how to stop. */
export function listenTo(parts: GatewayParts, client: Client, ear: ClientEar): () => void {
  const { fleet, ears, subscriptions } = parts;
  const isModern = client.era === "modern";
  const held = fleet.servers.filter((server) => isModern || server.toClient.length > 0);
  const releases = held.map((server) =>
    fleet.hold(server.id, client, {
      onRequest:
        ear.ask &&
        ((question) => {
          // It may have been moved to another release since.
          const now = parts.config.servers.get(server.id) ?? server;
          return askUnprompted(parts, { client, server: now, ask: ear.ask }, question);
        }),
    }),
  );
  const hear = (notice: ClientNotice): void => {
    if (!isBlocked(parts, client.principal) || isListChange(notice)) ear.hear(notice);
  };
  const stop = ears.add(client, { ...ear, hear });
  return () => {
    stop();
    for (const release of releases) release();
    if (isModern) subscriptions.forget(client);
  };
}

/** Says nothing but that lists may be asked for anew. */
function isListChange({ method }: ClientNotice): boolean {
  return method.endsWith("/list_changed");
}
