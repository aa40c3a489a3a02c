/**
 * What the keeper of one server's connections is handed, and what it says of itself.
 */
import type { Clock, Log } from "../../../contract/ambient.ts";
import type { JsonObject } from "../../../contract/json.ts";
import type {
  ServerNotification,
  UpstreamConnection,
  UpstreamConnectionEvents,
} from "../upstream-connection.ts";

export interface SupervisorOptions {
  /** Config id of the server. */
  readonly id: string;
  /** Requests at once, over all connections; four times as many may wait. */
  readonly maxConcurrent: number;
  /** 0: never closed for being idle. */
  readonly idleTimeoutMs: number;
  /** The end of a predecessor that still closes counts. */
  readonly startTimeoutMs: number;
  /** Default 32. For one more the longest idle one is closed; where none is, it is refused. */
  readonly maxConnections?: number | undefined;
  /**
   * Opens a connection for a sharing key. Rejects with a `GatewayError`, and after `signal`
   * aborted in any case; `upstream_unauthorized` is no fault of the server.
   */
  readonly connect: (
    key: string,
    capabilities: JsonObject,
    events: UpstreamConnectionEvents,
    signal: AbortSignal,
  ) => Promise<UpstreamConnection>;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random: () => number;
  /** What is asked of the connection itself is not supervised: no turn, no circuit breaker. */
  readonly onConnected: (key: string, connection: UpstreamConnection) => void;
  /** An open connection ended by itself or hung; not called for idle or ended ones. */
  readonly onLost: (key: string, reason: string) => void;
  /** An idle connection was closed, for its idle time or to make room for another. */
  readonly onStopped?: ((key: string) => void) | undefined;
  /** Notifications that belong to no request, whether or not somebody holds the connection. */
  readonly onNotification?: ((key: string, notification: ServerNotification) => void) | undefined;
}

export type SupervisorState = "idle" | "starting" | "up" | "backing_off" | "open_circuit";

export interface SupervisorStatus {
  /** Of the best connection: one that is up makes the server up. */
  readonly state: SupervisorState;
  /** Sharing keys that something is known of. */
  readonly keys: number;
  /** Open ones and those that start. */
  readonly connections: number;
  /** Sent and not answered, open streams included. */
  readonly inFlight: number;
  /** Of which nothing was sent yet. */
  readonly queued: number;
  /** Starts after a failed start or a lost connection. */
  readonly restarts: number;
  readonly lastError: { readonly code: string; readonly atMs: number } | undefined;
  /** Since when a connection has been open without a gap, as wall time. */
  readonly upSinceMs: number | undefined;
}
