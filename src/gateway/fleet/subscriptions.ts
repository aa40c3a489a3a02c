/**
 * Subscriptions to resources and, with modern servers, to tasks: one upstream for all clients that
 * share a connection, made again after the connection was lost, ended with its last client.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { ServerNotification, UpstreamReply } from "../../mcp/upstream/upstream-connection.ts";
import type { Client } from "../gateway.ts";
import { connectionKey } from "./connection-key.ts";
import type { ServerFleet } from "./server-fleet.ts";

/** What can be subscribed to, as its server names it. */
type Topic =
  | { readonly kind: "resource"; readonly uri: string }
  | { readonly kind: "task"; readonly taskId: string };

/** One topic on one connection. */
interface Subscription {
  readonly server: ServerConfig;
  readonly topic: Topic;
  readonly clients: Set<Client>;
  /** Ends the open request of a modern server. */
  readonly stream: AbortController;
  readonly release: () => void;
  /** How long it waits to be made again; grows while that does not last. */
  againMs: number;
  madeMs: number;
}

export interface SubscriptionDeps {
  readonly fleet: () => ServerFleet;
  readonly clock: Clock;
  readonly log: Log;
  readonly onUpdated: (client: Client, server: ServerConfig, uri: string) => void;
  readonly onTask: (client: Client, server: ServerConfig, notice: ServerNotification) => void;
}

const acknowledged = "notifications/subscriptions/acknowledged";
const updated = "notifications/resources/updated";
const taskChanged = "notifications/tasks";
const firstAgainMs = 1000;
const maxAgainMs = 60_000;
/** Streams of a server are few, and everybody's. */
const maxPerPrincipal = 256;

export class Subscriptions {
  readonly #deps: SubscriptionDeps;
  readonly #open = new Map<string, Subscription>();
  /** Answers that are awaited; whoever wants the same meanwhile gets the same. */
  readonly #making = new Map<string, Promise<UpstreamReply>>();
  /** Wait to be made again. */
  readonly #gone = new Map<Subscription, NodeJS.Timeout>();

  constructor(deps: SubscriptionDeps) {
    this.#deps = deps;
  }

  /** Subscribes a client to a resource; the reply is the server's, or an empty result where it is subscribed already. */
  async add(client: Client, server: ServerConfig, uri: string): Promise<UpstreamReply> {
    return await this.#add(client, server, { kind: "resource", uri });
  }

  /** The same for a task of a modern server; ends with `forget`. */
  async addTask(client: Client, server: ServerConfig, taskId: string): Promise<UpstreamReply> {
    return await this.#add(client, server, { kind: "task", taskId });
  }

  async #add(client: Client, server: ServerConfig, topic: Topic): Promise<UpstreamReply> {
    const key = keyOf(server, client, topic);
    const known = this.#open.get(key);
    if (known !== undefined) {
      known.clients.add(client);
      return (await this.#making.get(key)) ?? done;
    }
    if (this.#countOf(server, client) >= maxPerPrincipal) return tooMany;
    const subscription: Subscription = {
      server,
      topic,
      clients: new Set([client]),
      stream: new AbortController(),
      release: this.#deps.fleet().hold(server.id, client, {}),
      againMs: firstAgainMs,
      madeMs: 0,
    };
    this.#open.set(key, subscription);
    const making = this.#subscribe(client, subscription);
    this.#making.set(key, making);
    const reply = await making;
    if (this.#making.get(key) === making) this.#making.delete(key);
    if (reply.kind !== "result") this.#drop(key, subscription);
    return reply;
  }

  /** Ends a client's subscription, and the server's with the last client. */
  async remove(client: Client, server: ServerConfig, uri: string): Promise<void> {
    await this.#remove(client, server, { kind: "resource", uri });
  }

  async #remove(client: Client, server: ServerConfig, topic: Topic): Promise<void> {
    const key = keyOf(server, client, topic);
    const subscription = this.#open.get(key);
    if (subscription?.clients.delete(client) !== true || subscription.clients.size > 0) return;
    this.#drop(key, subscription);
    if (topic.kind === "task" || this.#deps.fleet().known(server, client)?.era === "modern") return;
    const params = { uri: JSON.stringify(topic.uri) };
    const timeoutMs = server.callTimeoutMs;
    await this.#deps.fleet().request(server.id, client, {
      method: "resources/unsubscribe",
      params,
      timeoutMs,
    });
  }

  /** Ends everything that a client subscribed to. */
  forget(client: Client): void {
    for (const { server, topic, clients } of this.#open.values()) {
      if (clients.has(client)) void this.#remove(client, server, topic);
    }
  }

  /** Ends what somebody may not hear any more. */
  endWhere(isEnded: (client: Client, server: ServerConfig) => boolean): void {
    for (const { server, topic, clients } of this.#open.values()) {
      for (const client of clients) {
        if (isEnded(client, server)) void this.#remove(client, server, topic);
      }
    }
  }

  /** A legacy server says that a resource changed. */
  heard(server: ServerConfig, key: string, uri: string): void {
    const subscription = this.#open.get(`${server.id} ${key} ${nameOf({ kind: "resource", uri })}`);
    if (subscription !== undefined) this.#tellUpdated(subscription);
  }

  /** A connection is gone, and its subscriptions with it: they are made again on a new one. */
  lost(server: ServerConfig, key: string): void {
    const prefix = `${server.id} ${key} `;
    for (const [known, subscription] of this.#open) {
      if (known.startsWith(prefix)) this.#makeAgain(subscription);
    }
  }

  close(): void {
    for (const timer of this.#gone.values()) clearTimeout(timer);
    for (const { stream } of this.#open.values()) stream.abort();
  }

  #countOf(server: ServerConfig, { principal }: Client): number {
    const isOwn = (client: Client): boolean => client.principal.key === principal.key;
    const own = [...this.#open.values()].filter(
      (subscription) =>
        subscription.server.id === server.id && [...subscription.clients].some(isOwn),
    );
    return own.length;
  }

  /** However often it is said to be gone, it is made again once. */
  #makeAgain(subscription: Subscription): void {
    if (this.#gone.has(subscription) || subscription.stream.signal.aborted) return;
    const lastedMs = this.#deps.clock.monotonicMs() - subscription.madeMs;
    if (lastedMs > maxAgainMs) subscription.againMs = firstAgainMs;
    const timer = setTimeout(() => {
      this.#gone.delete(subscription);
      void this.#again(subscription);
    }, subscription.againMs).unref();
    subscription.againMs = Math.min(2 * subscription.againMs, maxAgainMs);
    this.#gone.set(subscription, timer);
  }

  async #again(subscription: Subscription): Promise<void> {
    const [client] = subscription.clients;
    if (client === undefined || subscription.stream.signal.aborted) return;
    const { server, topic } = subscription;
    const key = keyOf(server, client, topic);
    const reply = await this.#subscribe(client, subscription);
    if (reply.kind === "failed") return this.#makeAgain(subscription);
    // Whoever reads it now finds out what became of it.
    this.#tellUpdated(subscription);
    if (reply.kind === "result") return;
    this.#deps.log.warn({ server: server.id }, "subscription ended: the server refuses it now");
    this.#drop(key, subscription);
  }

  async #subscribe(client: Client, subscription: Subscription): Promise<UpstreamReply> {
    const fleet = this.#deps.fleet();
    const { server, topic } = subscription;
    if (fleet.known(server, client) === undefined) await fleet.awaitChanges(server.id, client);
    if (fleet.known(server, client)?.era === "modern") {
      return await this.#listen(client, subscription);
    }
    if (topic.kind === "task") return noTasks;
    return await fleet.request(server.id, client, {
      method: "resources/subscribe",
      params: { uri: JSON.stringify(topic.uri) },
      timeoutMs: server.callTimeoutMs,
      mayGoTo: (connection) => fleet.programs.isReleased(server.id, connection),
    });
  }

  /** Resolves when the server has acknowledged, or has ended the request. */
  #listen(client: Client, subscription: Subscription): Promise<UpstreamReply> {
    const { server, topic, stream, clients } = subscription;
    let isMade = false;
    const wanted =
      topic.kind === "task" ? { taskIds: [topic.taskId] } : { resourceSubscriptions: [topic.uri] };
    return new Promise((resolve) => {
      const ended = this.#deps.fleet().request(server.id, client, {
        method: "subscriptions/listen",
        params: { notifications: JSON.stringify(wanted) },
        timeoutMs: Infinity,
        signal: stream.signal,
        mayGoTo: (connection) => this.#deps.fleet().programs.isReleased(server.id, connection),
        // What the envelope says of a task's subscriber: it knows the extension.
        ...(topic.kind === "task" ? { clientCapabilities: client.capabilities } : {}),
        onNotification: (notice) => {
          if (notice.method === acknowledged) {
            isMade = true;
            subscription.madeMs = this.#deps.clock.monotonicMs();
            resolve(done);
          } else if (notice.method === updated) this.#tellUpdated(subscription);
          else if (notice.method === taskChanged) {
            for (const each of clients) this.#deps.onTask(each, server, notice);
          }
        },
      });
      void ended.then((reply) => {
        resolve(reply);
        // One that never was is the asker's to make again.
        if (isMade) this.#makeAgain(subscription);
      });
    });
  }

  #tellUpdated({ clients, server, topic }: Subscription): void {
    if (topic.kind === "task") return;
    for (const client of clients) this.#deps.onUpdated(client, server, topic.uri);
  }

  #drop(key: string, subscription: Subscription): void {
    if (this.#open.get(key) === subscription) this.#open.delete(key);
    subscription.stream.abort();
    subscription.release();
  }
}

function keyOf(server: ServerConfig, client: Client, topic: Topic): string {
  return `${server.id} ${connectionKey(server, client)} ${nameOf(topic)}`;
}

function nameOf(topic: Topic): string {
  return topic.kind === "task" ? `task ${topic.taskId}` : `resource ${topic.uri}`;
}

const done: UpstreamReply = {
  kind: "result",
  result: { bytes: Buffer.from("{}"), value: {}, members: new Map() },
};

const noTasks: UpstreamReply = {
  kind: "error",
  error: { code: -32_601, message: "Method not found" },
};

const tooMany: UpstreamReply = {
  kind: "failed",
  code: "upstream_busy",
  message: `a principal may subscribe to ${maxPerPrincipal} of its resources and tasks`,
};
