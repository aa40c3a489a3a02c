/**
 * One client connection, whatever carries it: messages in, messages out. It knows eras, ids and
 * cancellation; what a request may do is the gateway's. Each request is answered exactly once,
 * unless the client cancelled it.
 */
import type { Log } from "../../contract/ambient.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { Principal } from "../../contract/principal.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { Client, ClientNotice, Gateway } from "../../gateway/gateway.ts";
import { dispositionOf } from "../wire/method-table.ts";
import type {
  ClientMessage,
  ClientNotification,
  ClientRequest,
  MalformedMessage,
} from "../wire/read-client-message.ts";
import type { RequestId } from "../wire/rpc.ts";
import { rpcCodes } from "../wire/rpc.ts";
import { isLoudEnough } from "../wire/log-levels.ts";
import type { OutgoingMessage } from "./outgoing-message.ts";
import { errorMessage, notificationMessage, resultMessage } from "./outgoing-message.ts";
import { PendingQuestions } from "./pending-questions.ts";
import { initializeResult, negotiate } from "./present-greeting.ts";
import { readClaim, readEra } from "./read-era.ts";
import type { Exchange } from "./serve-request.ts";
import { serveRequest } from "./serve-request.ts";

export interface SessionDeps {
  readonly gateway: Gateway;
  readonly log: Log;
  readonly principal: Principal;
  /** Key of a legacy session; `undefined`: the carrier serves one modern exchange. */
  readonly sessionId: string | undefined;
  readonly send: (message: OutgoingMessage) => void;
  /** True while the client does not read; progress is then dropped, answers are not. */
  readonly isBusy: (related: RequestId | undefined) => boolean;
}

/** A client connection; `close` cancels what is in flight. */
export class Session {
  readonly #deps: SessionDeps;
  readonly #inFlight = new Map<RequestId, AbortController>();
  readonly #questions: PendingQuestions;
  #legacy: Client | undefined;
  #logLevel: string | undefined;
  #isReady = false;
  #stopListening: (() => void) | undefined;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.#questions = new PendingQuestions(deps.send);
  }

  /** Requests that are not answered yet. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Of a legacy session, once it was greeted. */
  get protocolVersion(): string | undefined {
    return this.#legacy?.protocolVersion;
  }

  /** Takes one message; resolves when it is dealt with and never rejects. */
  async receive(message: ClientMessage): Promise<void> {
    try {
      await this.#take(message);
    } catch (thrown) {
      const isAnswered = message.kind === "request" || message.kind === "malformed";
      this.#fail(isAnswered ? message.id : undefined, thrown);
    }
  }

  #take(message: ClientMessage): Promise<void> | undefined {
    switch (message.kind) {
      case "request":
        return this.#receiveRequest(message);
      case "notification":
        return this.#receiveNotification(message);
      case "malformed":
        return this.#refuseMalformed(message);
      case "response":
        if (!this.#questions.settle(message.id, message.answer))
          this.#deps.log.debug({}, "response of a client to no request dropped");
        return undefined;
    }
  }

  /** Cancels every request that is in flight and forgets the session; nothing is answered any more. */
  close(): void {
    this.#stopListening?.();
    this.#questions.close();
    for (const controller of this.#inFlight.values()) controller.abort();
    if (this.#legacy !== undefined) this.#deps.gateway.forget(this.#legacy);
  }

  async #refuseMalformed(message: MalformedMessage): Promise<void> {
    const { gateway, log, send } = this.#deps;
    log.debug({ reason: message.reason }, "malformed message of a client refused");
    if (message.answers !== undefined) {
      this.#questions.fail(message.answers, "the client's answer was malformed");
    }
    const { method } = message;
    if (method === undefined || isDecided(method)) {
      await gateway.refuseMalformed(this.#legacy ?? this.#stranger(), method);
    }
    send(errorMessage(message.id, { code: message.code, message: message.message }));
  }

  async #receiveRequest(request: ClientRequest): Promise<void> {
    const { id } = request;
    if (this.#inFlight.has(id)) {
      const message = "Invalid Request: the id is that of a request in flight";
      await this.#recordRefusal(request.method);
      this.#deps.send(errorMessage(id, { code: rpcCodes.invalidRequest, message }));
      return;
    }
    const controller = new AbortController();
    this.#inFlight.set(id, controller);
    try {
      await this.#dispatch(request, controller.signal);
    } finally {
      this.#inFlight.delete(id);
    }
  }

  /** Whatever the gateway throws is its own fault. `id`: where somebody waits for an answer. */
  #fail(id: RequestId | null | undefined, thrown: unknown): void {
    const data = { code: codeOf(thrown) ?? "internal_error" };
    this.#deps.log.error({ ...data, reason: messageOf(thrown) }, "request failed");
    const error = { code: rpcCodes.internalError, message: "Internal error", data };
    if (id !== undefined) this.#deps.send(errorMessage(id, error));
  }

  /** Of what came to no decision and is, in some revision, decided. */
  async #recordRefusal(method: string, client = this.#legacy ?? this.#stranger()): Promise<void> {
    if (isDecided(method)) await this.#deps.gateway.refuseMalformed(client, method);
  }

  async #dispatch(request: ClientRequest, signal: AbortSignal): Promise<void> {
    const { id, method, params } = request;
    const { gateway, log, send } = this.#deps;
    const reading = readEra(params);
    if (reading.era === "refused") {
      await this.#recordRefusal(method);
      return send(errorMessage(id, reading.error));
    }
    const client =
      reading.era === "modern"
        ? { ...reading, principal: this.#deps.principal, session: undefined }
        : (this.#legacy ?? this.#stranger());
    if (dispositionOf("clientRequests", method, client.protocolVersion) === "refuse") {
      // What no revision decides names nothing that could be read or changed, and is no record.
      log.info({ method: method.slice(0, 64) }, "unknown method refused");
      await this.#recordRefusal(method, client);
      return send(errorMessage(id, { code: rpcCodes.methodNotFound, message: "Method not found" }));
    }
    if (method === "initialize") return this.#initialize(request);
    await serveRequest({ gateway, log, client, request, signal, ...this.#exchange(request) });
  }

  /** What a request can do to its client meanwhile. */
  #exchange({ id }: ClientRequest): Pick<Exchange, "send" | "tell" | "ask" | "setLogLevel"> {
    const { send, isBusy } = this.#deps;
    return {
      send,
      tell: (notice) => {
        if (!this.#inFlight.has(id) || isBusy(id) || this.#isTooQuiet(notice)) return;
        send(notificationMessage(notice.method, notice.params, id));
      },
      ask: (question) => this.#questions.ask(question, this.#inFlight.has(id) ? id : undefined),
      setLogLevel: (level) => {
        this.#logLevel = level;
      },
    };
  }

  #initialize({ id, params }: ClientRequest): void {
    const { gateway, principal, sessionId = "", send } = this.#deps;
    if (this.#legacy !== undefined) gateway.forget(this.#legacy);
    const { capabilities } = params;
    const client: Client = {
      principal,
      session: sessionId,
      era: "legacy",
      protocolVersion: negotiate(params["protocolVersion"]),
      claim: readClaim(params["clientInfo"]),
      capabilities: isCapabilities(capabilities) ? capabilities : {},
    };
    this.#legacy = client;
    this.#isReady = false;
    this.#logLevel = undefined;
    this.#stopListening?.();
    this.#stopListening = gateway.listen(client, {
      hear: (notice) => this.#hear(notice),
      ask: (question) => this.#questions.ask(question, undefined),
    });
    send(resultMessage(id, initializeResult(client.protocolVersion, gateway.greet(client))));
  }

  /** What belongs to no request. Nothing unasked is said before the client is ready. */
  #hear(notice: ClientNotice): void {
    const version = this.#legacy?.protocolVersion ?? "";
    const isForeign = dispositionOf("serverNotifications", notice.method, version) === "refuse";
    if (!this.#isReady || isForeign || this.#isTooQuiet(notice)) return;
    this.#deps.send(notificationMessage(notice.method, notice.params));
  }

  #isTooQuiet({ method, params }: ClientNotice): boolean {
    if (method !== "notifications/message" || this.#logLevel === undefined) return false;
    return !isLoudEnough(params["level"], this.#logLevel);
  }

  async #receiveNotification({ method, params }: ClientNotification): Promise<void> {
    const { gateway, log } = this.#deps;
    const version = this.#legacy?.protocolVersion ?? modernRevision;
    if (dispositionOf("clientNotifications", method, version) === "refuse") {
      log.info({ method: method.slice(0, 64) }, "unknown notification dropped");
      await this.#recordRefusal(method);
      return;
    }
    switch (method) {
      case "notifications/initialized":
        this.#isReady = true;
        return;
      case "notifications/cancelled":
        return this.#cancel(params);
      case "notifications/roots/list_changed":
        if (this.#legacy !== undefined) gateway.rootsChanged(this.#legacy);
        return;
      default:
        log.debug({ method }, "notification of a client without effect");
    }
  }

  #cancel({ requestId }: JsonObject): void {
    if (typeof requestId !== "string" && typeof requestId !== "number") return;
    this.#inFlight.get(requestId)?.abort();
  }

  /** A client before its handshake. */
  #stranger(): Client {
    const { principal, sessionId } = this.#deps;
    return {
      principal,
      session: sessionId,
      era: "legacy",
      protocolVersion: "",
      claim: { name: "", version: "" },
      capabilities: {},
    };
  }
}

const modernRevision = "2026-07-28";

function isCapabilities(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True for a method that is decided in some revision, so that a broken one is on record. */
function isDecided(method: string): boolean {
  return ["2025-11-25", modernRevision].some(
    (version) => dispositionOf("clientRequests", method, version) === "decide",
  );
}
