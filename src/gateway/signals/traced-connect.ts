/**
 * The span of one request to a server: a CLIENT span within that of the request that it is made for,
 * and the server's parent from then on. Only what belongs to an open span is traced; what the gateway
 * asks a server for itself is not.
 */
import type { ServerConfig } from "../../config/config.ts";
import type {
  UpstreamConnection,
  UpstreamReply,
  UpstreamRequest,
} from "../../mcp/upstream/upstream-connection.ts";
import type { AttributeValue, Attributes, OpenSpan } from "../../telemetry/tracing/span.ts";
import { formatTraceparent } from "../../telemetry/tracing/trace-context.ts";
import type { Tracer } from "../../telemetry/tracing/tracer.ts";
import type { Connect } from "../fleet/fleet-server-deps.ts";
import { decisionAttribute } from "./traced-log.ts";

/** `connect` whose connections make spans. */
export function tracedConnect(connect: Connect, tracer: Tracer): Connect {
  return async (server, wanted) => tracedConnection(await connect(server, wanted), server, tracer);
}

function tracedConnection(
  connection: UpstreamConnection,
  server: ServerConfig,
  tracer: Tracer,
): UpstreamConnection {
  return {
    get greeting() {
      return connection.greeting;
    },
    notify: (method, params) => connection.notify(method, params),
    close: () => connection.close(),
    request: async (wanted) => {
      const parent = tracer.openOf(textOf(wanted.meta?.["traceparent"]));
      if (parent === undefined) return await connection.request(wanted);
      const { protocolVersion } = connection.greeting;
      const span = tracer.within(parent, {
        kind: "client",
        name: wanted.method,
        attributes: {
          ...attributesOf(server, wanted, parent.attribute(decisionAttribute)),
          "mcp.protocol.version": protocolVersion,
        },
      });
      const name = nameOf(wanted);
      if (name !== undefined) span.target(name);
      const reply = await connection.request({ ...wanted, meta: metaWithin(wanted, span) });
      const { errorType, ...said } = endOf(reply);
      span.set(said);
      span.end(errorType);
      return reply;
    },
  };
}

function metaWithin({ meta }: UpstreamRequest, { context, tracestate }: OpenSpan) {
  const traceparent = formatTraceparent(context);
  return { ...meta, traceparent, ...(tracestate === undefined ? {} : { tracestate }) };
}

function attributesOf(
  { id, transport }: ServerConfig,
  wanted: UpstreamRequest,
  decisionId: AttributeValue | undefined,
): Attributes {
  const { method } = wanted;
  const name = nameOf(wanted);
  return {
    "mcp.method.name": method,
    "mcp_gateway.server": id,
    "network.transport": transport.kind === "stdio" ? "pipe" : "tcp",
    ...(transport.kind === "http" ? placeOf(transport.url) : {}),
    ...(method === "tools/call" ? { "gen_ai.operation.name": "execute_tool" } : {}),
    ...(method === "tools/call" && name !== undefined ? { "gen_ai.tool.name": name } : {}),
    ...(method === "prompts/get" && name !== undefined ? { "gen_ai.prompt.name": name } : {}),
    ...(decisionId === undefined ? {} : { [decisionAttribute]: decisionId }),
  };
}

/** Of what is in the catalogue; of other requests it is a URI or an id. */
function nameOf({ method, name }: UpstreamRequest): string | undefined {
  return method === "tools/call" || method === "prompts/get" ? name : undefined;
}

function placeOf(url: string): Attributes {
  const { hostname, port, protocol } = new URL(url);
  const preset = protocol === "https:" ? 443 : 80;
  return {
    "network.protocol.name": "http",
    "server.address": hostname,
    "server.port": port === "" ? preset : Number(port),
  };
}

/** Messages of servers are not among it. */
function endOf(reply: UpstreamReply) {
  switch (reply.kind) {
    case "failed":
      return { errorType: reply.code };
    case "error": {
      const code = String(reply.error.code);
      return { errorType: code, "rpc.response.status_code": code };
    }
    case "result":
      return { errorType: reply.result.value["isError"] === true ? "tool_error" : undefined };
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
