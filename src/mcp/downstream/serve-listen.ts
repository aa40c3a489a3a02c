/**
 * `subscriptions/listen` of 2026-07-28: one request that stays open and on whose stream the client
 * hears what it asked for. Each resource is decided; what the gateway does not honour is left out of
 * the acknowledgement.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import { conversationMember, conversationPointer } from "../../contract/reserved-key.ts";
import type { ClientNotice } from "../../gateway/gateway.ts";
import { rpcCodes } from "../wire/rpc.ts";
import { errorMessage, notificationMessage, resultMessage } from "./outgoing-message.ts";
import { modernStamp } from "./present-greeting.ts";
import { metaKeys } from "./read-era.ts";
import { readTrace } from "./read-trace.ts";
import type { Exchange } from "./serve-request.ts";
import { speaksTasks, tasksUndeclared } from "./tasks-extension.ts";
import { createWaitingNotices } from "./waiting-notices.ts";

/** Resources and tasks of one request together; each is decided and subscribed to by itself. */
const maxTopics = 1000;
/** As for a URI or a task anywhere else. */
const maxTopicLength = 8192;
const maxWaitingNotices = 256;

/** What can be subscribed to one by one. */
type Topic =
  | { readonly type: "resource_subscribe"; readonly uri: string }
  | { readonly type: "task_subscribe"; readonly taskId: string };

interface Wanted {
  readonly toolsListChanged: boolean;
  readonly promptsListChanged: boolean;
  readonly resourcesListChanged: boolean;
  readonly resourceSubscriptions: readonly string[];
  readonly taskIds: readonly string[];
}

const changeNotices = {
  "notifications/tools/list_changed": "toolsListChanged",
  "notifications/prompts/list_changed": "promptsListChanged",
  "notifications/resources/list_changed": "resourcesListChanged",
} as const;

/** Stays until the client cancels or its carrier goes. */
export async function serveListen(exchange: Exchange): Promise<void> {
  const { gateway, client, request, signal, send } = exchange;
  const wanted = readWanted(request.params["notifications"]);
  if (wanted === undefined) {
    const message = `expected params.notifications to be an object with at most ${maxTopics} resources and tasks of at most ${maxTopicLength} characters each`;
    return send(errorMessage(request.id, { code: rpcCodes.invalidParams, message }));
  }
  if (wanted.taskIds.length > 0 && !speaksTasks(client)) {
    return send(errorMessage(request.id, tasksUndeclared));
  }
  const waiting = createWaitingNotices(maxWaitingNotices);
  let honoured: Wanted | undefined;
  const tell = ({ method, params }: ClientNotice): void => {
    const meta = isJsonObject(params["_meta"]) ? params["_meta"] : {};
    const stamped = { ...params, _meta: { ...meta, [metaKeys.subscriptionId]: request.id } };
    send(notificationMessage(method, stamped, request.id));
  };
  const stop = gateway.listen(client, {
    hear: (notice) => {
      if (!isHonoured(notice, honoured ?? wanted)) return;
      if (honoured === undefined) waiting.add(notice);
      else tell(notice);
    },
    ask: undefined,
  });
  try {
    const resources = wanted.resourceSubscriptions.map(
      (uri) => ({ type: "resource_subscribe", uri }) as const,
    );
    const tasks = wanted.taskIds.map((taskId) => ({ type: "task_subscribe", taskId }) as const);
    const taken = honouredOf(wanted, await subscribeAll(exchange, [...resources, ...tasks]));
    await gateway.awaitChanges(client);
    tell({
      method: "notifications/subscriptions/acknowledged",
      params: { notifications: presentHonoured(taken) },
    });
    honoured = taken;
    for (const notice of waiting.take()) if (isHonoured(notice, taken)) tell(notice);
    await aborted(signal);
  } finally {
    stop();
  }
  const stamp = { ...modernStamp._meta, [metaKeys.subscriptionId]: request.id };
  send(resultMessage(request.id, { ...modernStamp, _meta: stamp }));
}

function readWanted(value: unknown): Wanted | undefined {
  if (!isJsonObject(value)) return undefined;
  const uris = topics(value["resourceSubscriptions"]);
  const taskIds = topics(value["taskIds"]);
  if (uris === undefined || taskIds === undefined) return undefined;
  if (uris.length + taskIds.length > maxTopics) return undefined;
  return {
    toolsListChanged: value["toolsListChanged"] === true,
    promptsListChanged: value["promptsListChanged"] === true,
    resourcesListChanged: value["resourcesListChanged"] === true,
    resourceSubscriptions: uris,
    taskIds,
  };
}

/** Each once; `undefined` where one is none, or there are too many. */
function topics(value: unknown): readonly string[] | undefined {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > maxTopics) return undefined;
  const found = value.filter(
    (item): item is string => typeof item === "string" && item.length <= maxTopicLength,
  );
  return found.length === value.length ? [...new Set(found)] : undefined;
}

/** Those that policy allows and whose server took the subscription. */
async function subscribeAll(
  exchange: Exchange,
  subjects: readonly Topic[],
): Promise<readonly Topic[]> {
  const { gateway, client, request, signal, tell } = exchange;
  const { _meta: meta } = request.params;
  const said = isJsonObject(meta) ? meta[conversationMember] : undefined;
  const { traceparent, tracestate, transportTrace } = readTrace(
    request,
    isJsonObject(meta) ? meta : {},
  );
  const accepted: Topic[] = [];
  for (const subject of subjects) {
    if (signal.aborted) return accepted;
    const reply = await gateway.act({
      client,
      subject,
      inputResponsesJson: undefined,
      requestState: undefined,
      taskJson: undefined,
      logLevel: undefined,
      traceparent,
      tracestate,
      transportTrace,
      saidConversation: said,
      dropped: said === undefined ? [] : [conversationPointer],
      onProgress: undefined,
      onNotification: tell,
      ask: undefined,
      signal,
    });
    if (reply.kind === "result") accepted.push(subject);
  }
  return accepted;
}

function honouredOf(wanted: Wanted, taken: readonly Topic[]): Wanted {
  return {
    ...wanted,
    resourceSubscriptions: taken.flatMap((topic) =>
      topic.type === "resource_subscribe" ? topic.uri : [],
    ),
    taskIds: taken.flatMap((topic) => (topic.type === "task_subscribe" ? topic.taskId : [])),
  };
}

/** What is not honoured is left out. */
function presentHonoured(honoured: Wanted): JsonObject {
  return Object.fromEntries(
    Object.entries(honoured).filter(([, value]) => value === true || Object(value).length > 0),
  );
}

function isHonoured({ method, params }: ClientNotice, wanted: Wanted): boolean {
  const change = Object.entries(changeNotices).find(([known]) => known === method)?.[1];
  if (change !== undefined) return wanted[change];
  if (method === "notifications/resources/updated") return true;
  if (method !== "notifications/tasks") return false;
  return wanted.taskIds.some((id) => id === params["taskId"]);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  // The carrier first takes note of the end.
  await delay(0);
}
