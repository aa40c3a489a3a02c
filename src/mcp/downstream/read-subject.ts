/**
 * Reads the params of a decided request into the few fields that exist for policy and upstream. What
 * is not passed on is named, so that the record shows it.
 */
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import { conversationMember } from "../../contract/reserved-key.ts";
import type { RequestTrace, Subject } from "../../gateway/gateway.ts";
import { isTraceparent } from "../../telemetry/tracing/trace-context.ts";
import type { ClientRequest } from "../wire/read-client-message.ts";
import { metaKeys } from "./read-era.ts";
import { readTrace } from "./read-trace.ts";

export type SubjectReading =
  | { readonly ok: true; readonly wanted: WantedAction }
  | { readonly ok: false; readonly message: string };

export interface WantedAction extends RequestTrace {
  readonly subject: Subject;
  readonly inputResponsesJson: string | undefined;
  readonly requestState: string | undefined;
  readonly taskJson: string | undefined;
  readonly progressToken: string | number | undefined;
  readonly logLevel: string | undefined;
  /** As it was said, by whomever; `undefined` where nothing was. */
  readonly saidConversation: unknown;
  readonly dropped: readonly string[];
}

type Part<Value> = { readonly value: Value } | { readonly problem: string };

/** Members of params that are passed on, by method. */
const passedParams: Readonly<Record<string, readonly string[]>> = {
  "tools/call": ["name", "arguments", "inputResponses", "requestState", "task"],
  "prompts/get": ["name", "arguments", "inputResponses", "requestState"],
  "resources/read": ["uri", "inputResponses", "requestState"],
  "resources/subscribe": ["uri"],
  "completion/complete": ["ref", "argument", "context"],
  "tasks/get": ["taskId"],
  "tasks/result": ["taskId"],
  "tasks/cancel": ["taskId"],
  "tasks/update": ["taskId", "inputResponses", "requestState"],
};
const envelopePrefix = "io.modelcontextprotocol/";
const maxTextLength = 8192;
const maxStateLength = 1024 * 1024;

/** Reads a request of a method that is decided. */
export function readSubject(request: ClientRequest): SubjectReading {
  const { method, params, inputResponsesJson, taskJson } = request;
  const { requestState, inputResponses, task, _meta: meta = {} } = params;
  const subject = subjectOf(request);
  if ("problem" in subject) return refuse(subject.problem);
  if (!isJsonObject(meta)) return refuse("expected params._meta to be an object");
  const { progressToken } = meta;
  const { traceparent, tracestate, transportTrace } = readTrace(request, meta);
  if (!isTokenOrNothing(progressToken)) {
    return refuse("expected params._meta.progressToken to be a string or an integer");
  }
  if (inputResponses !== undefined && !isObjectOfObjects(inputResponses)) {
    return refuse("expected params.inputResponses to be an object of objects");
  }
  if (task !== undefined && !isJsonObject(task))
    return refuse("expected params.task to be an object");
  if (requestState !== undefined && !isText(requestState, maxStateLength)) {
    return refuse("expected params.requestState to be a string");
  }
  const passed = new Set(passedParams[method]);
  const passes = (name: string) => passed.has(name);
  return {
    ok: true,
    wanted: {
      subject: subject.value,
      inputResponsesJson: passes("inputResponses") ? inputResponsesJson : undefined,
      requestState: passes("requestState") ? requestState : undefined,
      taskJson: passes("task") ? taskJson : undefined,
      progressToken,
      traceparent,
      tracestate,
      transportTrace,
      logLevel: logLevelOf(meta),
      saidConversation: meta[conversationMember],
      dropped: [...droppedParams(params, passed), ...droppedMeta(meta)],
    },
  };
}

function subjectOf({ method, params, argumentsJson = "{}" }: ClientRequest): Part<Subject> {
  const { name, uri, taskId, arguments: args } = params;
  switch (method) {
    case "tools/call":
    case "prompts/get": {
      if (!isText(name))
        return {
          problem: `expected params.name to be a string of at most ${maxTextLength} characters`,
        };
      if (args !== undefined && !isJsonObject(args)) {
        return { problem: "expected params.arguments to be an object" };
      }
      const type = method === "tools/call" ? "tool_call" : "prompt_get";
      return { value: { type, name, argumentsJson } };
    }
    case "resources/read":
    case "resources/subscribe": {
      if (!isText(uri))
        return {
          problem: `expected params.uri to be a string of at most ${maxTextLength} characters`,
        };
      const type = method === "resources/read" ? "resource_read" : "resource_subscribe";
      return { value: { type, uri } };
    }
    case "completion/complete":
      return completionOf(params);
    default: {
      const type = taskActions[method];
      if (type === undefined) return { problem: "expected another method" };
      return isText(taskId)
        ? { value: { type, taskId } }
        : { problem: "expected params.taskId to be a string" };
    }
  }
}

const taskActions: Readonly<
  Record<string, "task_get" | "task_result" | "task_cancel" | "task_update">
> = {
  "tasks/get": "task_get",
  "tasks/result": "task_result",
  "tasks/cancel": "task_cancel",
  "tasks/update": "task_update",
};

function completionOf({ ref, argument, context }: JsonObject): Part<Subject> {
  if (!isJsonObject(ref)) return { problem: "expected params.ref to be an object" };
  if (!isJsonObject(argument)) return { problem: "expected params.argument to be an object" };
  if (context !== undefined && !isJsonObject(context)) {
    return { problem: "expected params.context to be an object" };
  }
  const argumentsJson = JSON.stringify({ argument, ...(context === undefined ? {} : { context }) });
  const { type, name, uri } = ref;
  if (type === "ref/prompt" && isText(name)) {
    return { value: { type: "completion", ref: { prompt: name }, argumentsJson } };
  }
  if (type === "ref/resource" && isText(uri)) {
    return { value: { type: "completion", ref: { uri }, argumentsJson } };
  }
  return { problem: "expected params.ref to name a prompt or a resource" };
}

function refuse(message: string): SubjectReading {
  return { ok: false, message };
}

function isText(value: unknown, maxLength = maxTextLength): value is string {
  return typeof value === "string" && value.length <= maxLength;
}

function isTokenOrNothing(value: unknown): value is string | number | undefined {
  return value === undefined || isText(value) || Number.isSafeInteger(value);
}

function isObjectOfObjects(value: unknown): boolean {
  return isJsonObject(value) && Object.values(value).every(isJsonObject);
}

function logLevelOf(meta: JsonObject): string | undefined {
  const level = meta[metaKeys.logLevel];
  return typeof level === "string" ? level : undefined;
}

function droppedParams(params: JsonObject, passed: ReadonlySet<string>): readonly string[] {
  return Object.keys(params)
    .filter((key) => key !== "_meta" && !passed.has(key))
    .map((key) => `/${key}`);
}

function droppedMeta(meta: JsonObject): readonly string[] {
  return Object.keys(meta)
    .filter((key) => key !== "progressToken" && !key.startsWith(envelopePrefix))
    .filter((key) => key !== "traceparent" || !isTraceparent(meta[key]))
    .map((key) => `/_meta/${key}`);
}
