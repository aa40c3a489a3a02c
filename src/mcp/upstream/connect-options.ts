/**
 * What it takes to connect to an upstream server, and what either transport makes of it.
 */
import type { HttpTransport, StdioTransport } from "../../config/config.ts";
import type { Log } from "../../contract/ambient.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { Era } from "../wire/method-table.ts";
import type { Connection } from "./connection.ts";
import type { Greeted } from "./greet.ts";
import type { HttpAuthorizer } from "./http/http-authorizer.ts";
import type { UpstreamConnectionEvents } from "./upstream-connection.ts";
import type { Watchdog } from "./watchdog.ts";

export interface ConnectOptions {
  /** Config id, for messages. */
  readonly id: string;
  readonly transport: StdioTransport | HttpTransport;
  readonly protocol: "auto" | "legacy" | "modern";
  /** The child's whole environment; of no meaning to HTTP. */
  readonly env: Readonly<Record<string, string>>;
  /** For everything until hands are shaken, restarts included. */
  readonly startTimeoutMs: number;
  /** Declared to a legacy server. */
  readonly capabilities: JsonObject;
  /** HTTP: where tokens come from. */
  readonly authorizer?: HttpAuthorizer | undefined;
}

/** What was learned of a server before, and where new knowledge goes. */
export interface EraMemory {
  readonly known: Era | undefined;
  readonly learned: (era: Era) => void;
}

export interface ConnectDeps {
  readonly watchdog: Watchdog;
  readonly log: Log;
  /** Its listener hears notifications from the first moment on, before the connection is there. */
  readonly events: UpstreamConnectionEvents;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
  readonly rememberEra?: EraMemory | undefined;
}

/** What is behind a connection: a process, or an HTTP session. */
export interface Session {
  readonly connection: Connection;
  /** Hears of the end, once, unless `close` was the reason. */
  readonly watch: (onLost: (reason: string) => void) => void;
  readonly close: () => Promise<void>;
}

/** The session is closed already where the greeting failed. */
export interface OpenedSession {
  readonly session: Session;
  readonly greeted: Greeted;
}
