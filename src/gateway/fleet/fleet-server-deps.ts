/**
 * What the fleet hands to each of its servers.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { ListedKind } from "../../mcp/upstream/list-all.ts";
import type {
  ServerNotification,
  UpstreamConnection,
  UpstreamConnectionEvents,
} from "../../mcp/upstream/upstream-connection.ts";
import type { Era } from "../../mcp/wire/method-table.ts";
import type { ListingStore } from "./listing-store.ts";

/** Opens a connection; rejects when it cannot be, or when `signal` aborts. */
export type Connect = (
  server: ServerConfig,
  wanted: {
    readonly capabilities: JsonObject;
    readonly events: UpstreamConnectionEvents;
    readonly signal: AbortSignal;
    readonly log: Log;
    readonly knownEra: Era | undefined;
    readonly onEra: (era: Era) => void;
  },
) => Promise<UpstreamConnection>;

export interface FleetServerDeps {
  readonly connect: Connect;
  readonly store: ListingStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Where the configuration says nothing. */
  readonly idleTimeoutMs: number;
  /** The connection that lists are read from. */
  readonly own: { readonly key: string; readonly capabilities: JsonObject };
  /**
   * What this connection lists may have changed, and with the gateway's own connection what everybody
   * sees; `told` are the lists that the server itself said have changed.
   */
  readonly onListing: (key: string, told: ReadonlySet<ListedKind>) => void;
  readonly onHeard: (key: string, notification: ServerNotification) => void;
  readonly onConnected: (key: string, connection: UpstreamConnection) => void;
  readonly onLost: (key: string) => void;
}
