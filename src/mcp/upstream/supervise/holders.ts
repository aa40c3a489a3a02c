/**
 * Who listens to a connection while none of their requests runs: sessions and subscriptions.
 * Notifications go to all of them, a request of the server to the newest that answers requests. One
 * that throws takes nothing from the others.
 */
import type { Log } from "../../../contract/ambient.ts";
import { messageOf } from "../../../errors.ts";
import { rpcCodes } from "../../wire/rpc.ts";
import type {
  ClientAnswer,
  ServerNotification,
  ServerRequest,
  UpstreamListener,
} from "../upstream-connection.ts";

export interface Holders {
  readonly size: () => number;
  /** Returns how to stop listening. */
  readonly add: (listener: UpstreamListener) => () => void;
  readonly notify: (notification: ServerNotification) => void;
  readonly ask: (request: ServerRequest) => Promise<ClientAnswer>;
}

/** Nobody listens yet; `onChange` hears when somebody comes or goes. */
export function createHolders(log: Log, onChange: () => void): Holders {
  /** Each hold is its own entry, so that one listener may hold twice. */
  const holds = new Set<{ readonly listener: UpstreamListener }>();
  return {
    size: () => holds.size,
    add: (listener) => {
      const hold = { listener };
      holds.add(hold);
      onChange();
      return () => {
        if (holds.delete(hold)) onChange();
      };
    },
    notify: (notification) => {
      for (const { listener } of holds) tell(listener, notification, log);
    },
    ask: async (request) => {
      const newest = [...holds].findLast(({ listener }) => listener.onRequest !== undefined);
      return await answer(newest?.listener.onRequest, request, log);
    },
  };
}

function tell(listener: UpstreamListener, notification: ServerNotification, log: Log): void {
  try {
    listener.onNotification?.(notification);
  } catch (thrown) {
    const { method } = notification;
    log.error({ method, reason: messageOf(thrown) }, "notification of an upstream not passed on");
  }
}

async function answer(
  onRequest: UpstreamListener["onRequest"],
  request: ServerRequest,
  log: Log,
): Promise<ClientAnswer> {
  if (onRequest === undefined) {
    return { kind: "error", error: { code: rpcCodes.methodNotFound, message: "Method not found" } };
  }
  try {
    return await onRequest(request);
  } catch (thrown) {
    const { method } = request;
    log.error({ method, reason: messageOf(thrown) }, "request of an upstream not answered");
    return { kind: "error", error: { code: rpcCodes.internalError, message: "Internal error" } };
  }
}
