/**
 * The listener of `metrics.listen`: metrics and nothing else, for whoever reaches it. It has no tokens,
 * since scrapers inside a network have none; what it says names servers, tools and rules, and nobody.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AdminAddress } from "../config/admin-config.ts";
import type { Log } from "../contract/ambient.ts";
import { codeOf, messageOf } from "../errors.ts";
import type { MetricRegistry } from "../telemetry/metrics/metric-registry.ts";
import { prometheusContentType, prometheusText } from "../telemetry/metrics/prometheus-text.ts";
import { AdminError } from "./admin-error.ts";

const limits = { maxHeaderSize: 16 * 1024, headersTimeout: 5000, requestTimeout: 10_000 } as const;
const maxConnections = 16;

export interface MetricsListener {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/**
 * Opens it.
 *
 * @throws AdminError `admin_listen_failed`
 */
export async function openMetrics(
  { host, port }: AdminAddress,
  registry: Pick<MetricRegistry, "read">,
  log: Log,
): Promise<MetricsListener> {
  const server = createServer(limits, (request, response) => {
    response.on("error", () => {});
    answer(registry, request, response).catch((thrown: unknown) => {
      log.error({ reason: messageOf(thrown) }, "metrics not answered");
      response.destroy();
    });
  });
  server.maxConnections = maxConnections;
  server.unref();
  await listen(server, { host, port });
  const address = server.address();
  const taken = typeof address === "object" && address !== null ? address.port : port;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${taken}/metrics`;
  log.info({ url }, "metrics listener open");
  return {
    url,
    close: async () => {
      const closed = new Promise((resolve) => void server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A page of another origin gets no word to read: browsers say `Origin` or what they fetch for. */
async function answer(
  registry: Pick<MetricRegistry, "read">,
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const isBrowser = headers.origin !== undefined || headers["sec-fetch-site"] !== undefined;
  const isAsked = method === "GET" && url?.split("?")[0] === "/metrics";
  if (isBrowser || !isAsked) {
    response.writeHead(isBrowser ? 403 : 404, { connection: "close" }).end();
    return;
  }
  const body = prometheusText(await registry.read());
  response
    .writeHead(200, { "content-type": prometheusContentType, "cache-control": "no-store" })
    .end(body);
}

function listen(server: Server, where: AdminAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const found = codeOf(cause) ?? cause.message;
      const message = `cannot listen for metrics: ${found}; free the address, or change metrics.listen`;
      reject(new AdminError("admin_listen_failed", message, { cause }));
    });
    server.listen(where, resolve);
  });
}
