/**
 * A connection to a server over Streamable HTTP: an endpoint, a handshake, and for a legacy server
 * its standing stream. It is lost when the server forgets its session, and only then: between two
 * requests there is nothing else that could be lost.
 */
import type { HttpTransport } from "../../../config/config.ts";
import { readAuthority } from "../authority.ts";
import type { ConnectDeps, ConnectOptions, OpenedSession, Session } from "../connect-options.ts";
import { Connection } from "../connection.ts";
import { greet } from "../greet.ts";
import { UpstreamError } from "../upstream-error.ts";
import { Endpoint } from "./endpoint.ts";
import { HttpCarrier } from "./http-carrier.ts";

/** Shakes hands; `signal` ends all patience. */
export async function connectHttp(
  transport: HttpTransport,
  options: ConnectOptions,
  deps: ConnectDeps,
  signal: AbortSignal,
): Promise<OpenedSession> {
  const authority = readAuthority(transport.caFile);
  if (!authority.ok) {
    throw new UpstreamError(
      "upstream_start_failed",
      `server "${options.id}" was not connected to: servers.${options.id}.${authority.reason}`,
    );
  }
  const { session, carrier } = openSession(transport, authority.ca, options, deps);
  const greeted = await greet(session.connection, {
    protocol: options.protocol,
    known: deps.rememberEra?.known,
    capabilities: options.capabilities,
    timeoutMs: options.startTimeoutMs,
    signal,
    silenceMs: undefined,
    learned: (era) => deps.rememberEra?.learned(era),
  });
  if (greeted.kind === "failed") await session.close();
  else if (greeted.greeting.era === "legacy") await carrier.listen();
  return { session, greeted };
}

function openSession(
  { url, headers }: HttpTransport,
  ca: string | undefined,
  { authorizer }: ConnectOptions,
  deps: ConnectDeps,
): { readonly session: Session; readonly carrier: HttpCarrier } {
  const endpoint = new Endpoint({ url, headers, authorizer, ca });
  const listeners: ((reason: string) => void)[] = [];
  const onLost = (reason: string): void => {
    connection.lose(reason);
    void endpoint.close();
    for (const listener of listeners) listener(reason);
  };
  const carrier = new HttpCarrier({ endpoint, log: deps.log, sink: () => connection, onLost });
  const connection = new Connection({
    log: deps.log,
    listener: deps.events,
    carry: () => carrier,
  });
  const close = async (): Promise<void> => {
    connection.lose("the connection was closed");
    await carrier.close();
    await endpoint.close();
  };
  return { session: { connection, watch: (listener) => listeners.push(listener), close }, carrier };
}
