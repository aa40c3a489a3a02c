/**
 * What is heard of one connection outside of requests, from its start until it is given up: after
 * that a connection that still closes says nothing to anybody. A loss that is reported before the
 * connection was taken over is kept until then.
 */
import { rpcCodes } from "../../wire/rpc.ts";
import type {
  ClientAnswer,
  ServerNotification,
  ServerRequest,
  UpstreamConnectionEvents,
} from "../upstream-connection.ts";

export interface EarListener {
  readonly onNotification: (notification: ServerNotification) => void;
  readonly onRequest: (request: ServerRequest) => Promise<ClientAnswer>;
}

export interface ConnectionEar {
  /** Handed in when the connection is opened. */
  readonly events: UpstreamConnectionEvents;
  /** Names who hears of the loss, at once where it was reported already. */
  readonly onLost: (listener: (reason: string) => void) => void;
  readonly close: () => void;
}

/** Listens from now on. */
export function createConnectionEar(listener: EarListener): ConnectionEar {
  let isClosed = false;
  let lostBecause: string | undefined;
  let tellLoss: ((reason: string) => void) | undefined;
  return {
    events: {
      onLost: (reason) => {
        lostBecause ??= reason;
        tellLoss?.(reason);
      },
      onNotification: (notification) => {
        if (!isClosed) listener.onNotification(notification);
      },
      onRequest: async (request) => (isClosed ? givenUp : await listener.onRequest(request)),
    },
    onLost: (tell) => {
      tellLoss = tell;
      if (lostBecause !== undefined) tell(lostBecause);
    },
    close: () => {
      isClosed = true;
    },
  };
}

const givenUp: ClientAnswer = {
  kind: "error",
  error: { code: rpcCodes.internalError, message: "The connection was given up" },
};
