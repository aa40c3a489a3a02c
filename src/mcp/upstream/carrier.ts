/**
 * What carries the messages of one connection: the pipes of a child process, or HTTP. A carrier
 * moves texts and hands on what comes back; ids, deadlines and meaning are the connection's.
 */
import type { Era } from "../wire/method-table.ts";
import type { ServerMessage } from "../wire/read-server-message.ts";
import type { UpstreamReply, UpstreamRequest } from "./upstream-connection.ts";

/** What is spoken at the moment; without a version nothing is agreed yet. */
export interface Speech {
  readonly era: Era;
  readonly protocolVersion: string | undefined;
}

/** A request on its way out; the text is final. */
export interface OutgoingRequest {
  readonly id: number;
  readonly text: string;
  readonly wanted: UpstreamRequest;
  readonly speech: Speech;
}

/**
 * Where a message came from. `shared`: one channel for everything. `standing`: an HTTP stream that
 * belongs to no request and may answer none. A number: the HTTP stream of that request alone.
 */
export type Channel = "shared" | "standing" | number;

export interface Carrier {
  /** Why nothing more can be sent now; `undefined` where it can. */
  readonly refusal: () => string | undefined;
  readonly send: (outgoing: OutgoingRequest) => void;
  /** The answer is not wanted any more; `notice` tells the server, where it has to be told. */
  readonly abandon: (id: number, notice: string | undefined) => void;
  /** Sends a notification or an answer; resolves with a reason where it could not. */
  readonly post: (text: string) => Promise<string | undefined>;
  readonly speak: (speech: Speech) => void;
}

/** The connection, as its carrier sees it. */
export interface CarrierSink {
  readonly receive: (message: ServerMessage, channel: Channel) => void;
  /** Ends a request that is still open. */
  readonly settle: (id: number, reply: UpstreamReply) => void;
  /** Nothing more will come. */
  readonly lose: (reason: string) => void;
}
