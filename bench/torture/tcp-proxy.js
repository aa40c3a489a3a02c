/**
 * A TCP proxy in front of Postgres: it cuts connections, refuses new ones, or lets requests through
 * and keeps their answers to itself, so that a commit arrives and its reply does not.
 */
import { connect, createServer } from "node:net";

/** @typedef {"pass" | "swallow" | "refuse"} Mode */

/** @param {number} targetPort */
export async function startProxy(targetPort) {
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  /** @type {Mode} */
  let mode = "pass";
  let swallowed = 0;
  const server = createServer((client) => {
    const upstream = connect(targetPort, "127.0.0.1");
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
    client.on("data", (bytes) => upstream.write(bytes));
    upstream.on("data", (bytes) => {
      if (mode === "swallow") swallowed += 1;
      else client.write(bytes);
    });
  });
  await new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(undefined));
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port,
    /** Answers that were kept back. */
    swallowed: () => swallowed,
    setMode: (/** @type {Mode} */ wanted) => {
      mode = wanted;
    },
    cut,
    close: async () => {
      cut();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
