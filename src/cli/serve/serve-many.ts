/**
 * `serve --http HOST:PORT`: many clients over Streamable HTTP, until a signal; then what is in
 * flight gets its time.
 */
import { systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import type { Log } from "../../contract/ambient.ts";
import { principalOf } from "../../contract/principal.ts";
import type { Authentication } from "../../mcp/downstream/authorization/authentication.ts";
import { createAuthenticator } from "../../mcp/downstream/authorization/create-authenticator.ts";
import type { Readiness } from "../../mcp/downstream/http/front.ts";
import { serveHttp } from "../../mcp/downstream/http/serve-http.ts";
import { createWatchdog } from "../../mcp/upstream/watchdog.ts";
import { exitCodes } from "../exit-code.ts";
import { CliError } from "../io.ts";
import type { ServeSetting } from "../serve.ts";
import { assembleGateway } from "./assemble-gateway.ts";
import { createDeferred } from "./create-deferred.ts";

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Serves until SIGTERM, SIGINT or SIGHUP, or until a decision cannot be recorded and that ends it. */
export async function serveMany(
  setting: ServeSetting & { readonly address: string },
): Promise<void> {
  const { io, config, locks, readLock, dev, log } = setting;
  const listen = readAddress(setting.address);
  const access = openAccess(config, listen, log);
  const watchdog = createWatchdog(process.platform);
  const { promise: ended, resolve: end } = createDeferred();
  const gateway = await assembleGateway({
    io,
    config,
    locks,
    readLock,
    dev,
    watchdog,
    log,
    onShutdown: end,
    mayStart: Promise.resolve(),
    onlySession: undefined,
  });
  const state = { isReady: false };
  void gateway.ready.then(() => {
    state.isReady = true;
  });
  const closeGateway = async (): Promise<void> => {
    await gateway.close();
    await watchdog.close();
  };
  const options = { gateway, log, clock: systemClock, http: config.http, ...access, listen };
  const readiness = (): Readiness => (state.isReady ? gateway.policyStanding() : "starting");
  const front = await serveHttp({ ...options, readiness }).catch(async (thrown: unknown) => {
    await closeGateway();
    throw thrown;
  });
  log.info({ url: front.url }, "serving over http");
  // The URL may be that of a proxy in front, and port 0 is any.
  io.err(`listening on ${originOf(listen.host, front.port)}`);
  // The first signal drains; a second one ends at once.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, end);
  await ended;
  log.info({}, "draining");
  await front.close();
  await closeGateway();
}

function originOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function readAddress(text: string): Address {
  const [, name, digits] = /^(\[[0-9A-Fa-f:.]+\]|[^:]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (name === undefined || !(port <= 65_535)) {
    throw new CliError(
      exitCodes.usage,
      `expected --http HOST:PORT, found ${JSON.stringify(text)}; use 127.0.0.1:8080`,
    );
  }
  return { host: name.replace(/^\[|\]$/g, ""), port };
}

interface Access {
  readonly authenticate: (request: {
    readonly authorization: string | undefined;
  }) => Promise<Authentication>;
  readonly protectedResourceMetadata: object | undefined;
}

/** Without authorization everybody who reaches the listener is who the configuration names. */
function openAccess(config: GatewayConfig, listen: Address, log: Log): Access {
  const { tenant, agent, user } = config;
  const { authorization, publicUrl } = config.http;
  if (authorization === undefined) {
    const principal = principalOf({ tenant, agent, user, servers: undefined });
    return {
      authenticate: async () => ({ ok: true, principal, expiresAtMs: undefined }),
      protectedResourceMetadata: undefined,
    };
  }
  if (authorization.issuers.length > 0 && publicUrl === undefined && listen.port === 0) {
    throw new CliError(
      exitCodes.invalid,
      "http.public_url: expected the URL that tokens name as their audience, since the port is not known beforehand",
    );
  }
  const servers = [...config.servers.values()].filter((server) => !server.disabled);
  const { authenticate, metadata } = createAuthenticator({
    config: authorization,
    resource: publicUrl ?? `http://${listen.host}:${listen.port}/mcp`,
    servers: servers.map(({ id }) => id),
    tenant,
    clock: systemClock,
    fetch: globalThis.fetch,
    log,
  });
  return { authenticate, protectedResourceMetadata: metadata };
}
