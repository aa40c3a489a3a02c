/**
 * Gives a request its identity, its one time, and the text of what policy will judge.
 */
import type { ActionRequest, Subject } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action } from "./action.ts";

/** An action of a client. */
export function beginAction(parts: GatewayParts, request: ActionRequest): Action {
  const { client, subject, inputResponsesJson, taskJson } = request;
  return {
    type: subject.type === "task_subscribe" ? "task_get" : subject.type,
    principal: client.principal,
    claim: client.claim,
    protocolVersion: client.protocolVersion,
    asked: askedOf(subject),
    sent: {
      ...("argumentsJson" in subject ? { args: subject.argumentsJson } : {}),
      ...(inputResponsesJson === undefined ? {} : { input_responses: inputResponsesJson }),
      ...(taskJson === undefined ? {} : { task: taskJson }),
    },
    dropped: request.dropped,
    ...stampAction(parts),
    traceparent: request.traceparent,
  };
}

/** Identity and time of anything that is decided. */
export function stampAction({
  clock,
  newId,
}: GatewayParts): Pick<Action, "decisionId" | "timeMs" | "startedMs"> {
  return { decisionId: newId(), timeMs: clock.nowMs(), startedMs: clock.monotonicMs() };
}

function askedOf(subject: Subject): string {
  if ("name" in subject) return subject.name;
  if ("uri" in subject) return subject.uri;
  if ("taskId" in subject) return subject.taskId;
  return "prompt" in subject.ref ? subject.ref.prompt : subject.ref.uri;
}
