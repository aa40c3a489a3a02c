/**
 * The gateway as an MCP client of one upstream server: started or reached, era found, hands shaken.
 * What it may be asked and whether a request may happen at all is decided by others, and so is when
 * to connect again.
 */
import type { ConnectDeps, ConnectOptions, OpenedSession, Session } from "./connect-options.ts";
import { connectStdio } from "./connect-stdio.ts";
import type { Greeted } from "./greet.ts";
import { UpstreamError } from "./upstream-error.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

/** Throws `UpstreamError` and leaves no process, session or socket behind. */
export async function connectUpstream(
  options: ConnectOptions,
  deps: ConnectDeps,
): Promise<UpstreamConnection> {
  const patience = new AbortController();
  const end = (): void => patience.abort();
  const timer = setTimeout(end, options.startTimeoutMs);
  if (deps.signal.aborted) end();
  deps.signal.addEventListener("abort", end, { once: true });
  try {
    const { session, greeted } = await open(options, deps, patience.signal);
    if (greeted.kind === "failed") throw startFailed(options, greeted);
    return present(session, greeted.greeting, deps);
  } finally {
    clearTimeout(timer);
    deps.signal.removeEventListener("abort", end);
  }
}

/** HTTP comes with a client that takes as long to load as all the rest of a start. */
async function open(
  options: ConnectOptions,
  deps: ConnectDeps,
  signal: AbortSignal,
): Promise<OpenedSession> {
  const { transport } = options;
  if (transport.kind === "stdio") return await connectStdio(transport, options, deps, signal);
  const { connectHttp } = await import("./http/connect-http.ts");
  return await connectHttp(transport, options, deps, signal);
}

function present(
  { connection, watch, close }: Session,
  greeting: UpstreamConnection["greeting"],
  deps: ConnectDeps,
): UpstreamConnection {
  watch(deps.events.onLost);
  return {
    greeting,
    request: (wanted) => connection.request(wanted),
    notify: (method, params) => void connection.notify(method, params),
    close,
  };
}

function startFailed(
  { id, transport }: ConnectOptions,
  { reason, isUnauthorized }: Extract<Greeted, { kind: "failed" }>,
): UpstreamError {
  if (isUnauthorized) {
    const message = `server "${id}" wants authorization: ${reason}; check servers.${id}.headers or servers.${id}.oauth, or log in with "mcp-gateway server login ${id}"`;
    return new UpstreamError("upstream_unauthorized", message);
  }
  const advice =
    transport.kind === "stdio"
      ? `check servers.${id}.command and args by running them by hand`
      : `check servers.${id}.url`;
  return new UpstreamError(
    "upstream_start_failed",
    `server "${id}" did not start: ${reason}; ${advice}`,
  );
}
