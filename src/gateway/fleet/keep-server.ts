/**
 * Makes one server of the fleet: who hears what it says, and whose connection its lists are read on.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { ListChange } from "./change-notices.ts";
import { connectionKey, declaredCapabilities } from "./connection-key.ts";
import type { FleetServerDeps } from "./fleet-server-deps.ts";
import { FleetServer } from "./fleet-server.ts";
import type { FleetEars, FleetOptions } from "./server-fleet.ts";

/** Of connections that outlive their clients. */
const idleTimeoutMs = 600_000;

/** A server that nothing was asked of yet; `onListing` names the connection where it is not everybody's. */
export function keepServer(
  config: ServerConfig,
  { connect, store, clock, random, own, log }: FleetOptions,
  ears: FleetEars,
  onListing: (connection: ListChange["connection"], told: ListChange["kinds"]) => void,
): FleetServer {
  const ownKey = connectionKey(config, own);
  const deps: FleetServerDeps = {
    connect,
    store,
    clock,
    random,
    // What one client alone has keeps its state as if the client had started it.
    idleTimeoutMs: own.session === undefined ? idleTimeoutMs : 0,
    log: log.child({ server: config.id }),
    own: {
      key: ownKey,
      // The client is not known yet where the lists are read on its own connection.
      capabilities: declaredCapabilities(config, { ...own, session: undefined }),
    },
    onListing: (key, told) =>
      onListing(key === ownKey ? undefined : { server: config.id, key }, told),
    onHeard: (key, notification) => ears.onHeard(config, key, notification),
    onConnected: (key, connection) => ears.onConnected(config, key, connection),
    onLost: (key) => ears.onLost(config, key),
  };
  return new FleetServer(config, deps);
}
