/**
 * A TCP proxy in front of Postgres that can cut connections, refuse new ones, or let requests
 * through and keep their answers to itself.
 */
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";

export type ProxyMode = "pass" | "swallow_answers" | "refuse";

export interface TcpProxy {
  /** The database's URL through the proxy. */
  readonly url: string;
  readonly setMode: (mode: ProxyMode) => void;
  /** Resets all connections. */
  readonly cut: () => void;
  readonly close: () => Promise<void>;
}

/** Listens on a free port. */
export async function startTcpProxy(databaseUrl: string): Promise<TcpProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let mode: ProxyMode = "pass";
  const server = createServer((client) => {
    const upstream = connect(Number(target.port === "" ? 5432 : target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    if (mode === "refuse") client.resetAndDestroy();
    client.on("data", (bytes) => void upstream.write(bytes));
    upstream.on("data", (bytes) => {
      if (mode === "pass") client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = String(address.port);
  const cut = (): void => sockets.forEach((socket) => void socket.resetAndDestroy());
  return {
    url: url.href,
    setMode: (wanted) => {
      mode = wanted;
    },
    cut,
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
