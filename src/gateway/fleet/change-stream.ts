/**
 * The open request on which a modern server tells that its lists changed. A server that ends it
 * while the connection stands is asked again, ever more patiently; what it did not tell meanwhile is
 * read by whoever is told that the stream is back.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import type {
  ServerNotification,
  UpstreamConnection,
} from "../../mcp/upstream/upstream-connection.ts";

export interface ChangeStreamDeps {
  readonly onNotification: (notification: ServerNotification) => void;
  /** It listens again; nobody heard what it said meanwhile. */
  readonly onBack: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

const acknowledged = "notifications/subscriptions/acknowledged";
const firstDelayMs = 1000;
const maxDelayMs = 60_000;

export class ChangeStream {
  /** Resolves when the server listens, or will not. */
  readonly ready: Promise<void>;
  readonly #connection: UpstreamConnection;
  readonly #wanted: JsonObject;
  readonly #deps: ChangeStreamDeps;
  readonly #end = new AbortController();

  private constructor(connection: UpstreamConnection, wanted: JsonObject, deps: ChangeStreamDeps) {
    this.#connection = connection;
    this.#wanted = wanted;
    this.#deps = deps;
    this.ready = new Promise((resolve) => void this.#run(resolve));
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

  async #run(onReady: () => void): Promise<void> {
    const { clock } = this.#deps;
    let delayMs = firstDelayMs;
    let hasListened = false;
    for (;;) {
      const startedMs = clock.monotonicMs();
      const ended = await this.#listen(() => {
        onReady();
        if (hasListened) this.#deps.onBack();
        hasListened = true;
      });
      onReady();
      if (ended === "refused") return;
      if (clock.monotonicMs() - startedMs > maxDelayMs) delayMs = firstDelayMs;
      const options = { signal: this.#end.signal, ref: false };
      await delay(delayMs, undefined, options).catch(() => undefined);
      if (this.#end.signal.aborted) return;
      delayMs = Math.min(2 * delayMs, maxDelayMs);
    }
  }

  /** How the server took it, when it has ended. */
  async #listen(onAcknowledged: () => void): Promise<"ended" | "refused"> {
    let isAcknowledged = false;
    const reply = await this.#connection.request({
      method: "subscriptions/listen",
      params: { notifications: JSON.stringify(this.#wanted) },
      timeoutMs: Infinity,
      signal: this.#end.signal,
      onNotification: (notification) => {
        if (notification.method !== acknowledged) return this.#deps.onNotification(notification);
        isAcknowledged = true;
        onAcknowledged();
      },
    });
    this.#deps.log.debug({ kind: reply.kind }, "stream of list changes ended");
    return reply.kind === "error" && !isAcknowledged ? "refused" : "ended";
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
