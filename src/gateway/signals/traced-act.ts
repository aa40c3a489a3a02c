/**
 * The span of one request of a client, by OpenTelemetry's conventions for MCP: a SERVER span below the
 * context that came in `_meta`, with a link to that of its HTTP request; where `_meta` has none that one
 * is the parent. What happens inside finds it by its `traceparent`. Names that nobody knows, URIs and ids
 * of messages and tasks are the client's to choose and stay out.
 */
import { sha256Of } from "../../contract/sha256.ts";
import type { Attributes } from "../../telemetry/tracing/span.ts";
import { formatTraceparent } from "../../telemetry/tracing/trace-context.ts";
import type { Tracer } from "../../telemetry/tracing/tracer.ts";
import type { ActionReply, ActionRequest, Gateway, Subject } from "../gateway.ts";

const sessionDigits = 16;
const statePointer = "/_meta/tracestate";

/** `act` with a span around it, where the request is to be traced. */
export function tracedAct(
  act: Gateway["act"],
  tracer: Tracer,
  transport: "pipe" | "tcp",
): Gateway["act"] {
  return async (request) => {
    const { transportTrace } = request;
    const isOfTransport = transportTrace?.isParent === true;
    const start = {
      kind: "server",
      name: methodOf(request.subject),
      attributes: attributesOf(request, transport),
      link: transportTrace,
    } as const;
    const tracestate = isOfTransport ? transportTrace.tracestate : request.tracestate;
    const span = tracer.enter(start, request.traceparent, tracestate);
    if (span === undefined) return await act(request);
    const traceparent = formatTraceparent(span.context);
    const passesState = span.tracestate !== undefined && !isOfTransport;
    const dropped = passesState
      ? request.dropped.filter((pointer) => pointer !== statePointer)
      : request.dropped;
    try {
      const reply = await act({ ...request, traceparent, dropped });
      if (reply.kind === "error") span.set({ "rpc.response.status_code": String(reply.code) });
      span.end(errorTypeOf(reply));
      return reply;
    } catch (thrown) {
      span.end("internal_error");
      throw thrown;
    }
  };
}

function attributesOf({ client, subject }: ActionRequest, transport: "pipe" | "tcp"): Attributes {
  const { session, protocolVersion } = client;
  return {
    "mcp.method.name": methodOf(subject),
    "mcp.protocol.version": protocolVersion,
    "network.transport": transport,
    ...(transport === "tcp" ? { "network.protocol.name": "http" } : {}),
    ...(subject.type === "tool_call" ? { "gen_ai.operation.name": "execute_tool" } : {}),
    // Who has the id of a session may speak in it.
    ...(session === undefined ? {} : { "mcp.session.id": digestOf(session) }),
  };
}

function digestOf(session: string): string {
  return sha256Of(session)
    .replace(/^sha256:/, "")
    .slice(0, sessionDigits);
}

function methodOf({ type }: Subject): string {
  switch (type) {
    case "tool_call":
      return "tools/call";
    case "prompt_get":
      return "prompts/get";
    case "resource_read":
      return "resources/read";
    case "resource_subscribe":
      return "resources/subscribe";
    case "completion":
      return "completion/complete";
    case "task_subscribe":
      return "subscriptions/listen";
    case "task_get":
    case "task_result":
    case "task_cancel":
    case "task_update":
      return `tasks/${type.slice("task_".length)}`;
  }
}

function errorTypeOf(reply: ActionReply): string | undefined {
  if (reply.kind === "cancelled") return "cancelled";
  if (reply.kind === "error") return String(reply.code);
  // Of its own denials the gateway keeps the bytes alone; its questions say what they are.
  const isDenial = reply.origin === "gateway" && reply.value["resultType"] === undefined;
  return isDenial || reply.value["isError"] === true ? "tool_error" : undefined;
}
