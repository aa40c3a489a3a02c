/**
 * Who is told what belongs to no request: changed lists, changed resources, log messages and tasks
 * of servers. Each client hears of its own connections only, in the names that it knows.
 */
import type { ServerConfig } from "../config/config.ts";
import { exposeUri } from "../mcp/catalog/resource-uri.ts";
import type { ServerNotification } from "../mcp/upstream/upstream-connection.ts";
import type { ListChange } from "./fleet/change-notices.ts";
import { connectionKey } from "./fleet/connection-key.ts";
import type { Client, ClientEar, ClientNotice, ListKind } from "./gateway.ts";

const changeNotices: Readonly<Record<ListKind, string>> = {
  tools: "notifications/tools/list_changed",
  prompts: "notifications/prompts/list_changed",
  resources: "notifications/resources/list_changed",
  resourceTemplates: "notifications/resources/list_changed",
};

export class ClientEars {
  readonly #ears = new Map<Client, ClientEar>();

  add(client: Client, ear: ClientEar): () => void {
    this.#ears.set(client, ear);
    return () => void this.#ears.delete(client);
  }

  /** Lists changed, whoever may see what of them: those of one connection for whoever shares it. */
  tellChange({ kinds, connection }: ListChange, server: ServerConfig | undefined): void {
    const methods = new Set([...kinds].map((kind) => changeNotices[kind]));
    for (const [client, ear] of this.#ears) {
      const isElsewhere = server !== undefined && connectionKey(server, client) !== connection?.key;
      if (isElsewhere) continue;
      for (const method of methods) ear.hear({ method, params: {} });
    }
  }

  tellUpdated(client: Client, server: ServerConfig, uri: string): void {
    const params = { uri: exposeUri(server, uri) };
    this.tellOne(client, { method: "notifications/resources/updated", params });
  }

  /** One client alone. */
  tellOne(client: Client, notice: ClientNotice): void {
    this.#ears.get(client)?.hear(notice);
  }

  /** Something that was said on one connection, for each client that shares it. */
  tell(
    server: ServerConfig,
    key: string,
    notification: ServerNotification,
    present: (client: Client, notice: ClientNotice) => ClientNotice | undefined,
  ): void {
    for (const [client, ear] of this.#ears) {
      if (connectionKey(server, client) !== key) continue;
      const notice = present(client, notification);
      if (notice !== undefined) ear.hear(notice);
    }
  }
}
