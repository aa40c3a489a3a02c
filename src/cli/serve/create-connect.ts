/**
 * How commands connect to upstream servers: with the variables that a child may have, and with the
 * tokens of the gateway's own logins. The OAuth part is loaded with the first server that may
 * need it.
 */
import { systemClock } from "../../config/ambient.ts";
import type { HttpTransport, ServerConfig } from "../../config/config.ts";
import type { Log } from "../../contract/ambient.ts";
import type { Connect } from "../../gateway/fleet/fleet-server-deps.ts";
import { childEnvironment } from "../../mcp/upstream/child-environment.ts";
import type { HttpAuthorizer } from "../../mcp/upstream/http/http-authorizer.ts";
import type { Watchdog } from "../../mcp/upstream/watchdog.ts";

export interface ConnectSetting {
  /** The gateway's own variables, of which children get a few. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder of logins. */
  readonly stateDir: string;
  readonly watchdog: Watchdog;
}

/** Connects to any server of a configuration. */
export function createConnect({ env: ambient, stateDir, watchdog }: ConnectSetting): Connect {
  const authorizers = new Map<string, Promise<HttpAuthorizer>>();
  return async (server, { capabilities, events, signal, log, knownEra, onEra }) => {
    const { id, transport, protocol, startTimeoutMs } = server;
    const env = transport.kind === "stdio" ? childEnvironment(ambient, transport.env) : {};
    const authorizer =
      transport.kind === "http" && !hasOwnAuthorization(transport)
        ? await kept(authorizers, id, () => openAuthorizer(server, stateDir, log))
        : undefined;
    // Not among what a client waits for that greets at once.
    const { connectUpstream } = await import("../../mcp/upstream/connect-upstream.ts");
    return await connectUpstream(
      { id, transport, protocol, env, startTimeoutMs, capabilities, authorizer },
      {
        watchdog,
        log,
        events,
        signal,
        rememberEra: { known: knownEra, learned: onEra },
      },
    );
  };
}

/** A key that is refused is not mended by a login. */
function hasOwnAuthorization({ headers }: HttpTransport): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
}

/** All connections of one server share what is known of its tokens. */
function kept<Value>(
  known: Map<string, Promise<Value>>,
  key: string,
  open: () => Promise<Value>,
): Promise<Value> {
  const found = known.get(key) ?? open();
  known.set(key, found);
  return found;
}

async function openAuthorizer(
  { id, transport }: ServerConfig,
  stateDir: string,
  log: Log,
): Promise<HttpAuthorizer> {
  if (transport.kind !== "http") throw new Error("expected a server that is reached over HTTP");
  const { createUpstreamAuthorizer } =
    await import("../../mcp/upstream/oauth/create-upstream-authorizer.ts");
  const { url, oauth, caFile } = transport;
  return createUpstreamAuthorizer({
    server: { id, url, oauth, caFile },
    stateDir,
    clock: systemClock,
    log,
  });
}
