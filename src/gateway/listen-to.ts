/**
 * A client that listens: it hears what belongs to none of its requests, and its servers may ask it
 * unprompted what the operator lists. While it listens to changes, their connections stay.
 */
import { askClient } from "./action/ask-client.ts";
import type { Client, ClientEar } from "./gateway.ts";
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
        ((question) =>
          askClient(parts, { client, server, during: undefined, ask: ear.ask }, question)),
    }),
  );
  const stop = ears.add(client, ear);
  return () => {
    stop();
    for (const release of releases) release();
    if (isModern) subscriptions.forget(client);
  };
}
