/**
 * The admin interface of one gateway process: HTTP with JSON on a socket in the state folder, and, if
 * configured, on a loopback address. On the socket the mode of the file says who may come: the user of
 * the process. On the address a token does. Neither is a page for a browser.
 */
import { chmod } from "node:fs/promises";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AdminAddress, AdminConfig } from "../config/admin-config.ts";
import { adminRoles } from "../config/admin-config.ts";
import type { Clock, Log } from "../contract/ambient.ts";
import { codeOf, messageOf } from "../errors.ts";
import { AdminError } from "./admin-error.ts";
import type { AdminRoute } from "./admin-route.ts";
import { prepareSocket, removeStaleSockets } from "./admin-socket.ts";
import type { AdminDoor } from "./answer-request.ts";
import { answerRequest } from "./answer-request.ts";
import type { FailedLogins } from "./failed-logins.ts";
import { findToken } from "./find-token.ts";

export interface AdminOptions {
  readonly config: AdminConfig;
  readonly stateDir: string;
  /** Of this process; part of the socket's name. */
  readonly name: string;
  /** The user of the process, who is everybody on the socket. */
  readonly owner: string;
  readonly routes: readonly AdminRoute[];
  readonly clock: Clock;
  readonly log: Log;
  /** Keeps those on record; closed with the interface. `undefined`: they are logged alone. */
  readonly failedLogins?: FailedLogins | undefined;
}

export interface AdminInterface {
  /** `undefined` where there is none: on Windows, and where the state folder's path is too long. */
  readonly socketPath: string | undefined;
  /** `undefined` where none is configured, or the address cannot be had. */
  readonly url: string | undefined;
  readonly close: () => Promise<void>;
}

const limits = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 2000,
} as const;
const maxConnections = 64;
const closeGraceMs = 1000;

/** Opens what can be had; a gateway serves without the rest, and its log says so. */
export async function openAdmin(options: AdminOptions): Promise<AdminInterface> {
  const { stateDir, clock, log, config } = options;
  await removeStaleSockets(stateDir, clock).catch(() => undefined);
  const socket = await orTold(log, () => openSocket(options));
  const http = await orTold(
    log,
    async () => config.http && (await openAddress(options, config.http)),
  );
  const servers = [socket?.server, http?.server].filter((server) => server !== undefined);
  return {
    socketPath: socket?.path,
    url: http?.url,
    close: async () => {
      await Promise.all(servers.map((server) => closeServer(server)));
      options.failedLogins?.close();
    },
  };
}

async function orTold<Opened>(
  log: Log,
  open: () => Promise<Opened | undefined>,
): Promise<Opened | undefined> {
  try {
    return await open();
  } catch (thrown) {
    log.error({ code: codeOf(thrown), reason: messageOf(thrown) }, "admin interface not opened");
    return undefined;
  }
}

async function openSocket(options: AdminOptions) {
  const path = await prepareSocket(options.stateDir, options.name);
  if (path === undefined) {
    options.log.warn({}, "no admin socket: the path of the state folder is too long for one");
    return undefined;
  }
  const caller = { name: options.owner, via: "socket", roles: adminRoles } as const;
  const server = createListener(options, { hosts: undefined, callerOf: () => caller });
  await listen(server, { path });
  await chmod(path, 0o600);
  return { server, path };
}

async function openAddress(options: AdminOptions, { host, port }: AdminAddress) {
  const hosts: string[] = [];
  const { tokens } = options.config;
  const server = createListener(options, {
    hosts,
    callerOf: ({ headers }) => findToken(tokens, headers.authorization),
  });
  await listen(server, { host, port });
  const address = server.address();
  const taken = typeof address === "object" && address !== null ? address.port : port;
  const name = host.includes(":") ? `[${host}]` : host;
  hosts.push(`${name}:${taken}`, `localhost:${taken}`);
  const url = `http://${name}:${taken}`;
  options.log.info({ url }, "admin interface open");
  return { server, url };
}

function createListener({ routes, log, failedLogins }: AdminOptions, door: AdminDoor): Server {
  const answering = { routes, log, onUnauthorized: () => failedLogins?.add() };
  const server = createServer(limits, (request: IncomingMessage, response: ServerResponse) => {
    // What is written to a client that left is nobody's loss.
    response.on("error", () => {});
    void answerRequest(answering, door, request, response);
  });
  server.maxConnections = maxConnections;
  return server.unref();
}

function listen(server: Server, where: object): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const found = codeOf(cause) ?? cause.message;
      const message = `cannot listen for the admin interface: ${found}; free the address, or change admin.http`;
      reject(new AdminError("admin_listen_failed", message, { cause }));
    });
    server.listen(where, resolve);
  });
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => void server.close(resolve));
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), closeGraceMs).unref();
  await closed;
}
