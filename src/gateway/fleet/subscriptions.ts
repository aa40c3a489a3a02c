/**
 * Subscriptions to resources and, with modern servers, to tasks: one upstream for all clients that share a connection, made again after
 * the connection was lost, ended with its last client.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { Log } from "../../contract/ambient.ts";
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
}

export interface SubscriptionDeps {
  readonly fleet: () => ServerFleet;
  readonly log: Log;
  readonly onUpdated: (client: Client, server: ServerConfig, uri: string) => void;
  readonly onTask: (client: Client, server: ServerConfig, notice: ServerNotification) => void;
}

const acknowledged = "notifications/subscriptions/acknowledged";
const updated = "notifications/resources/updated";
const taskChanged = "notifications/tasks";
const againMs = 1000;
const maxPerClient = 1000;

export class Subscriptions {
  readonly #deps: SubscriptionDeps;
  readonly #open = new Map<string, Subscription>();
  readonly #timers = new Set<NodeJS.Timeout>();

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
      return done;
    }
    const own = [...this.#open.values()].filter(({ clients }) => clients.has(client));
    if (own.length >= maxPerClient) return tooMany;
    const subscription: Subscription = {
      server,
      topic,
      clients: new Set([client]),
      stream: new AbortController(),
      release: this.#deps.fleet().hold(server.id, client, {}),
    };
    this.#open.set(key, subscription);
    const reply = await this.#subscribe(client, subscription);
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
    if (topic.kind === "task" || this.#deps.fleet().greeting(server.id)?.era === "modern") return;
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

  /** A legacy server says that a resource changed. */
  heard(server: ServerConfig, key: string, uri: string): void {
    const subscription = this.#open.get(`${server.id} ${key} ${nameOf({ kind: "resource", uri })}`);
    if (subscription !== undefined) this.#tellUpdated(subscription);
  }

  /** A connection is gone, and its subscriptions with it: they are made again on a new one. */
  lost(server: ServerConfig, key: string): void {
    const prefix = `${server.id} ${key} `;
    if (![...this.#open.keys()].some((known) => known.startsWith(prefix))) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      for (const [known, subscription] of this.#open) {
        if (known.startsWith(prefix)) void this.#again(subscription);
      }
    }, againMs);
    timer.unref();
    this.#timers.add(timer);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { stream } of this.#open.values()) stream.abort();
  }

  async #again(subscription: Subscription): Promise<void> {
    const [client] = subscription.clients;
    if (client === undefined) return;
    const reply = await this.#subscribe(client, subscription);
    if (reply.kind === "result") return this.#tellUpdated(subscription);
    const { server } = subscription;
    this.#deps.log.warn({ server: server.id }, "subscription not made again");
    if (reply.kind === "failed") this.lost(server, connectionKey(server, client));
  }

  async #subscribe(client: Client, subscription: Subscription): Promise<UpstreamReply> {
    const fleet = this.#deps.fleet();
    const { server, topic } = subscription;
    if (fleet.greeting(server.id) === undefined) await fleet.awaitChanges(server.id, client);
    if (fleet.greeting(server.id)?.era === "modern") {
      return await this.#listen(client, subscription);
    }
    if (topic.kind === "task") return noTasks;
    return await fleet.request(server.id, client, {
      method: "resources/subscribe",
      params: { uri: JSON.stringify(topic.uri) },
      timeoutMs: server.callTimeoutMs,
    });
  }

  /** Resolves when the server has acknowledged, or has ended the request. */
  #listen(client: Client, subscription: Subscription): Promise<UpstreamReply> {
    const { server, topic, stream, clients } = subscription;
    const wanted =
      topic.kind === "task" ? { taskIds: [topic.taskId] } : { resourceSubscriptions: [topic.uri] };
    return new Promise((resolve) => {
      const ended = this.#deps.fleet().request(server.id, client, {
        method: "subscriptions/listen",
        params: { notifications: JSON.stringify(wanted) },
        timeoutMs: Infinity,
        signal: stream.signal,
        // What the envelope says of a task's subscriber: it knows the extension.
        ...(topic.kind === "task" ? { clientCapabilities: client.capabilities } : {}),
        onNotification: (notice) => {
          if (notice.method === acknowledged) resolve(done);
          else if (notice.method === updated) this.#tellUpdated(subscription);
          else if (notice.method === taskChanged) {
            for (const each of clients) this.#deps.onTask(each, server, notice);
          }
        },
      });
      void ended.then((reply) => {
        resolve(reply);
        if (!stream.signal.aborted && reply.kind === "failed") {
          this.lost(server, connectionKey(server, client));
        }
      });
    });
  }

  #tellUpdated({ clients, server, topic }: Subscription): void {
    if (topic.kind === "task") return;
    for (const client of clients) this.#deps.onUpdated(client, server, topic.uri);
  }

  #drop(key: string, { stream, release }: Subscription): void {
    this.#open.delete(key);
    stream.abort();
    release();
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
  message: `a client may subscribe to ${maxPerClient} resources`,
};
