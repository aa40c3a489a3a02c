/**
 * The open request on which a modern server tells that its lists changed.
 */
import type { Log } from "../../contract/ambient.ts";
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import type {
  ServerNotification,
  UpstreamConnection,
} from "../../mcp/upstream/upstream-connection.ts";

export interface ChangeStreamDeps {
  readonly onNotification: (notification: ServerNotification) => void;
  readonly log: Log;
}

const acknowledged = "notifications/subscriptions/acknowledged";

export class ChangeStream {
  /** Resolves when the server listens, or will not. */
  readonly ready: Promise<void>;
  readonly #end = new AbortController();

  private constructor(connection: UpstreamConnection, wanted: JsonObject, deps: ChangeStreamDeps) {
    this.ready = new Promise((resolve) => {
      const reply = connection.request({
        method: "subscriptions/listen",
        params: { notifications: JSON.stringify(wanted) },
        timeoutMs: Infinity,
        signal: this.#end.signal,
        onNotification: (notification) => {
          if (notification.method === acknowledged) resolve();
          else deps.onNotification(notification);
        },
      });
      void reply.then(({ kind }) => {
        deps.log.debug({ kind }, "stream of list changes ended");
        resolve();
      });
    });
  }

  /** `undefined` for a server that tells its changes unasked, or not at all. */
  static open(connection: UpstreamConnection, deps: ChangeStreamDeps): ChangeStream | undefined {
    const { era, capabilities } = connection.greeting;
    const wanted = wantedOf(capabilities);
    if (era !== "modern" || Object.keys(wanted).length === 0) return undefined;
    return new ChangeStream(connection, wanted, deps);
  }

  close(): void {
    this.#end.abort();
  }
}

function wantedOf(capabilities: JsonObject): JsonObject {
  const tells = (name: string): boolean => {
    const capability = capabilities[name];
    return isJsonObject(capability) && capability["listChanged"] === true;
  };
  return {
    ...(tells("tools") ? { toolsListChanged: true } : {}),
    ...(tells("prompts") ? { promptsListChanged: true } : {}),
    ...(tells("resources") ? { resourcesListChanged: true } : {}),
  };
}
