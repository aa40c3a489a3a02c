/**
 * The request as its server gets it, built from what policy judged and nothing else.
 */
import type { JsonObject } from "../../contract/json.ts";
import type { CallProgress } from "../../contract/progress.ts";
import { parameterHeadersOf } from "../../mcp/catalog/parameter-headers.ts";
import { offeredCapabilities } from "../offered-capabilities.ts";
import { presentLogMessage } from "../present-log-message.ts";
import type { UpstreamRequest } from "../../mcp/upstream/upstream-connection.ts";
import type { ActionRequest, Subject } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import { cleanText, textRulesOf } from "../texts/clean-members.ts";
import type { Target } from "./action.ts";
import type { Continuation } from "./continuation.ts";

/** What else goes with a request. */
export interface UpstreamExtras {
  readonly continuation: Continuation;
  /** What a legacy session asked for; a modern request brings its own. */
  readonly sessionLogLevel: string | undefined;
  /** Who answers what the server asks meanwhile. */
  readonly onRequest?: UpstreamRequest["onRequest"];
}

type UpstreamMeta = Pick<ActionRequest, "traceparent" | "logLevel">;

/** Everything but who hears the server meanwhile. */
export function upstreamRequest(
  { fleet }: Pick<GatewayParts, "fleet">,
  request: ActionRequest,
  target: Target,
  { continuation, sessionLogLevel, onRequest }: UpstreamExtras,
): UpstreamRequest {
  const { traceparent, onProgress, onNotification, signal } = request;
  const wanted = methodAndParams(request.subject, target, moreParams(request, continuation));
  const { known, mayGoTo } = destination(fleet, request, target);
  return {
    method: wanted.method,
    params: wanted.params,
    name: wanted.name,
    headers: wanted.headers,
    meta: metaOf({ traceparent, logLevel: request.logLevel ?? sessionLogLevel }),
    clientCapabilities: offeredCapabilities(request.client.capabilities, target.server.toClient),
    timeoutMs: target.server.callTimeoutMs,
    onProgress: onProgress && ((progress) => onProgress(cleanProgress(target, progress))),
    onNotification: (notice) => {
      const shown = presentLogMessage(target.server, notice);
      if (shown !== undefined) onNotification(shown);
    },
    onRequest,
    signal,
    known,
    mayGoTo,
  };
}

function moreParams(
  { inputResponsesJson, taskJson }: ActionRequest,
  continuation: Continuation,
): Readonly<Record<string, string>> {
  const more: Record<string, string> = {};
  if (inputResponsesJson !== undefined) more["inputResponses"] = inputResponsesJson;
  if (continuation.kind === "upstream") more["requestState"] = JSON.stringify(continuation.state);
  if (taskJson !== undefined) more["task"] = taskJson;
  return more;
}

/** Numbers pass. */
function cleanProgress({ server }: Target, { message, ...numbers }: CallProgress): CallProgress {
  const said = message === undefined ? undefined : cleanText(textRulesOf(server), message);
  return said === undefined ? numbers : { ...numbers, message: said };
}

/**
 * What was decided goes to the program that it was decided for: the one of its release, and a call to
 * one that described the tool as it was pinned. One that was started meanwhile is listed first.
 */
function destination(
  { programs }: GatewayParts["fleet"],
  { subject }: ActionRequest,
  { server, tool }: Target,
): Pick<UpstreamRequest, "known" | "mayGoTo"> {
  const called = subject.type === "tool_call" ? tool : undefined;
  return {
    known: (connection) => called && programs.known(server.id, connection),
    mayGoTo: (connection) => programs.mayGoTo(server, connection, called),
  };
}

type Wanted = Pick<UpstreamRequest, "method" | "params" | "name" | "headers">;

function methodAndParams(
  subject: Subject,
  target: Target,
  more: Readonly<Record<string, string>>,
): Wanted {
  const { name } = target;
  const quoted = JSON.stringify(name);
  switch (subject.type) {
    case "tool_call": {
      const params = { name: quoted, arguments: subject.argumentsJson, ...more };
      const headers = target.tool && parameterHeadersOf(target.tool, subject.argumentsJson);
      return { method: "tools/call", params, name, headers };
    }
    case "prompt_get": {
      const params = { name: quoted, arguments: subject.argumentsJson, ...more };
      return { method: "prompts/get", params, name };
    }
    case "resource_read":
      return { method: "resources/read", params: { uri: quoted, ...more }, name };
    case "resource_subscribe":
      return { method: "resources/subscribe", params: { uri: quoted } };
    case "completion":
      return { method: "completion/complete", params: completionParams(subject, name) };
    case "task_get":
    case "task_result":
    case "task_cancel":
    case "task_update":
    // A subscription goes its own way, and never as this.
    case "task_subscribe": {
      const method = `tasks/${subject.type.slice("task_".length)}`;
      return { method, params: { taskId: quoted, ...more }, name };
    }
  }
}

function completionParams(
  { ref, argumentsJson }: Extract<Subject, { type: "completion" }>,
  name: string,
): Readonly<Record<string, string>> {
  const sent: Readonly<Record<string, unknown>> = JSON.parse(argumentsJson);
  const kind = "prompt" in ref ? { type: "ref/prompt", name } : { type: "ref/resource", uri: name };
  const members = Object.entries(sent).map(([key, value]) => [key, JSON.stringify(value)] as const);
  return { ref: JSON.stringify(kind), ...Object.fromEntries(members) };
}

function metaOf({ traceparent, logLevel }: UpstreamMeta): JsonObject {
  return {
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(logLevel === undefined ? {} : { "io.modelcontextprotocol/logLevel": logLevel }),
  };
}
