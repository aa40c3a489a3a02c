/**
 * One request of a greeted client, by its method: answered here, listed, or put before the gateway
 * as an action. What a method may do in which revision is in the method table.
 */
import type { Log } from "../../contract/ambient.ts";
import type {
  ActionReply,
  Client,
  ClientNotice,
  ClientQuestion,
  ClientReply,
  Gateway,
  Greeting,
  ListKind,
} from "../../gateway/gateway.ts";
import type { ClientRequest } from "../wire/read-client-message.ts";
import type { RpcError } from "../wire/rpc.ts";
import { rpcCodes } from "../wire/rpc.ts";
import { isLogLevel, isLoudEnough } from "../wire/log-levels.ts";
import type { OutgoingMessage } from "./outgoing-message.ts";
import { errorMessage, rawResultMessage, resultMessage } from "./outgoing-message.ts";
import { discoverResult, listResult } from "./present-greeting.ts";
import { presentResult } from "./present-result.ts";
import type { WantedAction } from "./read-subject.ts";
import { readSubject } from "./read-subject.ts";
import { serveListen } from "./serve-listen.ts";
import { speaksTasks, tasksUndeclared } from "./tasks-extension.ts";

/** One request and all that can be done for it. */
export interface Exchange {
  readonly gateway: Gateway;
  readonly log: Log;
  readonly client: Client;
  readonly request: ClientRequest;
  readonly signal: AbortSignal;
  readonly send: (message: OutgoingMessage) => void;
  /** Sends a notification that belongs to this request. */
  readonly tell: (notice: ClientNotice) => void;
  readonly ask: (question: ClientQuestion) => Promise<ClientReply>;
  readonly setLogLevel: (level: string) => void;
}

const lists: Readonly<Record<string, ListKind>> = {
  "tools/list": "tools",
  "prompts/list": "prompts",
  "resources/list": "resources",
  "resources/templates/list": "resourceTemplates",
};

/** Serves a request whose method its revision has. */
export async function serveRequest(exchange: Exchange): Promise<void> {
  const { gateway, client, request } = exchange;
  const { id, method } = request;
  if (client.era === "modern" && method.startsWith("tasks/") && !speaksTasks(client)) {
    await gateway.refuseMalformed(client, method);
    return fail(exchange, tasksUndeclared);
  }
  const kind = lists[method];
  if (kind !== undefined) return await serveList(exchange, kind);
  switch (method) {
    case "ping":
      return exchange.send(resultMessage(id, {}));
    case "server/discover":
      return exchange.send(resultMessage(id, discoverResult(gateway.greet(client))));
    case "logging/setLevel":
      return setLevel(exchange);
    case "resources/unsubscribe":
      return await unsubscribe(exchange);
    case "subscriptions/listen":
      return await serveListen(exchange);
    case "tasks/list":
      return exchange.send(resultMessage(id, { tasks: await gateway.listTasks(client) }));
    default:
      return await serveAction(exchange);
  }
}

async function serveList(exchange: Exchange, kind: ListKind): Promise<void> {
  const { gateway, client, request, send } = exchange;
  const { cursor } = request.params;
  if (!isDeclared(gateway.greet(client), kind)) {
    return fail(exchange, { code: rpcCodes.methodNotFound, message: "Method not found" });
  }
  const listing = await gateway.list(client, kind);
  const isReadable = cursor === undefined || typeof cursor === "string";
  const result = isReadable ? listResult(kind, listing, cursor, client.era) : undefined;
  if (result !== undefined) return send(resultMessage(request.id, result));
  fail(exchange, invalidParams("Invalid cursor: list again from the start"));
}

/** What no server has is not there, whoever asks. */
function isDeclared({ capabilities }: Greeting, kind: ListKind): boolean {
  return (kind === "resourceTemplates" ? "resources" : kind) in capabilities;
}

function setLevel(exchange: Exchange): void {
  const { gateway, client, request } = exchange;
  const { level } = request.params;
  if (!isLogLevel(level))
    return fail(exchange, invalidParams("expected params.level to be a level"));
  exchange.setLogLevel(level);
  gateway.setLogLevel(client, level);
  exchange.send(resultMessage(request.id, {}));
}

async function unsubscribe(exchange: Exchange): Promise<void> {
  const { gateway, client, request } = exchange;
  const { uri } = request.params;
  if (typeof uri !== "string")
    return fail(exchange, invalidParams("expected params.uri to be a string"));
  await gateway.unsubscribe(client, uri);
  exchange.send(resultMessage(request.id, {}));
}

async function serveAction(exchange: Exchange): Promise<void> {
  const { gateway, client, log, request } = exchange;
  const reading = readSubject(request);
  if (!reading.ok) {
    log.debug({ reason: "invalid_params" }, "malformed message of a client refused");
    await gateway.refuseMalformed(client, request.method);
    return fail(exchange, invalidParams(reading.message));
  }
  const { wanted } = reading;
  if (wanted.logLevel !== undefined && !isLogLevel(wanted.logLevel)) {
    await gateway.refuseMalformed(client, request.method);
    return fail(exchange, invalidParams("expected the log level in params._meta to be a level"));
  }
  reply(exchange, await gateway.act(actionOf(exchange, wanted)));
}

function actionOf({ client, signal, tell, ask }: Exchange, wanted: WantedAction) {
  const { progressToken, logLevel } = wanted;
  const isModern = client.era === "modern";
  return {
    client,
    signal,
    onProgress:
      progressToken === undefined
        ? undefined
        : (progress: object): void =>
            tell({ method: "notifications/progress", params: { progressToken, ...progress } }),
    onNotification: (notice: ClientNotice): void => {
      if (isModern && !isWanted(notice, logLevel)) return;
      tell(notice);
    },
    ask: isModern ? undefined : ask,
    ...wanted,
  };
}

/** A modern client gets log messages where the request asked for them. */
function isWanted({ method, params }: ClientNotice, logLevel: string | undefined): boolean {
  if (method !== "notifications/message") return true;
  return logLevel !== undefined && isLoudEnough(params["level"], logLevel);
}

function reply(exchange: Exchange, ended: ActionReply): void {
  const { client, request, log, send } = exchange;
  switch (ended.kind) {
    case "result":
      return send(rawResultMessage(request.id, presentResult(ended, request.method, client.era)));
    case "error": {
      const { kind: _, ...error } = ended;
      return fail(exchange, error);
    }
    case "cancelled":
      log.debug({}, "cancelled request left unanswered");
  }
}

const legacyNotFound = -32_002;

function fail({ client, request, send }: Exchange, error: RpcError): void {
  const isForeign = client.era === "modern" && error.code === legacyNotFound;
  const code = isForeign ? rpcCodes.invalidParams : error.code;
  send(errorMessage(request.id, { ...error, code }));
}

function invalidParams(message: string): RpcError {
  return { code: rpcCodes.invalidParams, message };
}
