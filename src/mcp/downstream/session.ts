/**
 * One client connection, whatever carries it: messages in, messages out. It knows eras, ids and
 * cancellation; what a call may do is the gateway's. Each request is answered exactly once, unless
 * the client cancelled it.
 */
import type { Log } from "../../contract/ambient.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { ClientClaim } from "../../contract/policy-input.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { CallReply, Gateway } from "../../gateway/gateway.ts";
import type { Era } from "../wire/method-table.ts";
import { dispositionOf } from "../wire/method-table.ts";
import type {
  ClientNotification,
  ClientRequest,
  MalformedMessage,
} from "../wire/read-client-message.ts";
import { readClientMessage } from "../wire/read-client-message.ts";
import type { RequestId, RpcError } from "../wire/rpc.ts";
import { encodeError, encodeNotification, encodeResult, rpcCodes } from "../wire/rpc.ts";
import { callResult, discoverResult, initializeResult, listResult } from "./present-tools.ts";
import { readCall } from "./read-call.ts";
import { readClient, readEra } from "./read-era.ts";

export interface SessionDeps {
  readonly gateway: Gateway;
  readonly log: Log;
  /** Writes the parts of one message, in order, as one line. */
  readonly send: (...parts: readonly (string | Buffer)[]) => void;
  /** True while the client does not read; progress is then dropped, answers are not. */
  readonly isBusy: () => boolean;
}

/** What a legacy client said in its handshake, or a modern one says with each request. */
interface Speaker {
  readonly era: Era;
  readonly protocolVersion: string;
  readonly client: ClientClaim;
}

const changeDelayMs = 100;

/** A client connection; `close` cancels what is in flight. */
export class Session {
  readonly #deps: SessionDeps;
  readonly #inFlight = new Map<RequestId, AbortController>();
  readonly #stopListening: () => void;
  #legacy: Speaker | undefined;
  #isReady = false;
  #changeTimer: NodeJS.Timeout | undefined;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.#stopListening = deps.gateway.onToolsChanged(() => this.#announceChange());
  }

  /** Requests that are not answered yet. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Takes one frame; resolves when it is dealt with and never rejects. */
  async receive(frame: Buffer): Promise<void> {
    const message = readClientMessage(frame);
    switch (message.kind) {
      case "request":
        return await this.#receiveRequest(message);
      case "notification":
        return await this.#receiveNotification(message);
      case "malformed":
        return await this.refuseMalformed(message);
      case "response":
        this.#deps.log.debug({}, "response of a client to no request dropped");
    }
  }

  /** Answers what could not be read, by its id where that could be. */
  async refuseMalformed(message: MalformedMessage): Promise<void> {
    this.#deps.log.warn({ reason: message.reason }, "malformed message of a client refused");
    if (message.method === "tools/call" || message.method === undefined) {
      await this.#deps.gateway.refuseMalformed(this.#legacy?.protocolVersion ?? "");
    }
    this.#deps.send(encodeError(message.id, { code: message.code, message: message.message }));
  }

  /** Cancels every request that is in flight; nothing is answered any more. */
  close(): void {
    this.#stopListening();
    clearTimeout(this.#changeTimer);
    for (const controller of this.#inFlight.values()) controller.abort();
  }

  async #receiveRequest(request: ClientRequest): Promise<void> {
    if (this.#inFlight.has(request.id)) {
      const message = "a request with this id is still in flight";
      this.#fail(request.id, { code: rpcCodes.invalidRequest, message });
      return;
    }
    const controller = new AbortController();
    this.#inFlight.set(request.id, controller);
    try {
      await this.#dispatch(request, controller.signal);
    } catch (thrown) {
      const data = { code: codeOf(thrown) ?? "internal_error" };
      this.#deps.log.error({ ...data, reason: messageOf(thrown) }, "request failed");
      this.#fail(request.id, { code: rpcCodes.internalError, message: "Internal error", data });
    } finally {
      this.#inFlight.delete(request.id);
    }
  }

  async #dispatch(request: ClientRequest, signal: AbortSignal): Promise<void> {
    const reading = readEra(request.params);
    if (reading.era === "refused") return this.#fail(request.id, reading.error);
    const speaker: Speaker = reading.era === "modern" ? reading : (this.#legacy ?? stranger);
    if (dispositionOf("clientRequests", request.method, speaker.era) === "refuse") {
      this.#deps.log.info({ method: request.method.slice(0, 64) }, "unknown method refused");
      return this.#fail(request.id, { code: rpcCodes.methodNotFound, message: "Method not found" });
    }
    switch (request.method) {
      case "initialize":
        return this.#initialize(request);
      case "server/discover":
        return this.#succeed(request.id, discoverResult());
      case "ping":
        return this.#succeed(request.id, {});
      case "tools/list":
        return await this.#listTools(request, speaker);
      default:
        return await this.#callTool(request, speaker, signal);
    }
  }

  #initialize(request: ClientRequest): void {
    const result = initializeResult(request.params["protocolVersion"]);
    const client = readClient(request.params["clientInfo"]);
    this.#legacy = { era: "legacy", protocolVersion: result.protocolVersion, client };
    this.#succeed(request.id, result);
  }

  async #listTools(request: ClientRequest, speaker: Speaker): Promise<void> {
    const { cursor } = request.params;
    const listing = await this.#deps.gateway.listTools();
    const isReadable = cursor === undefined || typeof cursor === "string";
    const result = isReadable ? listResult(listing, cursor, speaker.era) : undefined;
    if (result !== undefined) return this.#succeed(request.id, result);
    const message = "Invalid cursor: list again from the start";
    this.#fail(request.id, { code: rpcCodes.invalidParams, message });
  }

  async #callTool(request: ClientRequest, speaker: Speaker, signal: AbortSignal): Promise<void> {
    const reading = readCall(request.params, request.argumentsJson);
    if (!reading.ok) {
      const { id, method } = request;
      const { message } = reading;
      const code = rpcCodes.invalidParams;
      const reason = "invalid_params";
      return await this.refuseMalformed({ kind: "malformed", id, method, code, message, reason });
    }
    const { name, progressToken, ...call } = reading.call;
    const reply = await this.#deps.gateway.callTool({
      ...call,
      exposedName: name,
      client: speaker.client,
      protocolVersion: speaker.protocolVersion,
      onProgress: this.#progressTo(request.id, progressToken),
      signal,
    });
    this.#reply(request.id, reply, speaker.era);
  }

  #progressTo(id: RequestId, progressToken: string | number | undefined) {
    if (progressToken === undefined) return undefined;
    return (progress: object): void => {
      if (!this.#inFlight.has(id) || this.#deps.isBusy()) return;
      const params = { progressToken, ...progress };
      this.#deps.send(encodeNotification("notifications/progress", params));
    };
  }

  #reply(id: RequestId, reply: CallReply, era: Era): void {
    switch (reply.kind) {
      case "result":
        this.#deps.send(
          `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`,
          callResult(reply, era),
          "}",
        );
        return;
      case "error": {
        const { kind: _, ...error } = reply;
        this.#fail(id, error);
        return;
      }
      case "cancelled":
        this.#deps.log.debug({}, "cancelled request left unanswered");
    }
  }

  async #receiveNotification({ method, params }: ClientNotification): Promise<void> {
    if (dispositionOf("clientNotifications", method, this.#legacy?.era ?? "modern") === "refuse") {
      this.#deps.log.info({ method: method.slice(0, 64) }, "unknown notification dropped");
      if (method !== "tools/call") return;
      await this.#deps.gateway.refuseMalformed(this.#legacy?.protocolVersion ?? "");
    } else if (method === "notifications/initialized") {
      this.#isReady = true;
    } else {
      this.#cancel(params);
    }
  }

  #cancel({ requestId }: JsonObject): void {
    if (typeof requestId !== "string" && typeof requestId !== "number") return;
    this.#inFlight.get(requestId)?.abort();
  }

  /** Changes come in bursts; clients are told once. Modern clients subscribe, in a later version. */
  #announceChange(): void {
    if (!this.#isReady) return;
    this.#changeTimer ??= setTimeout(() => {
      this.#changeTimer = undefined;
      this.#deps.send(encodeNotification("notifications/tools/list_changed"));
    }, changeDelayMs);
  }

  #succeed(id: RequestId, result: object): void {
    this.#deps.send(encodeResult(id, JSON.stringify(result)));
  }

  #fail(id: RequestId, error: RpcError): void {
    this.#deps.send(encodeError(id, error));
  }
}

/** A legacy client before its handshake. */
const stranger: Speaker = {
  era: "legacy",
  protocolVersion: "",
  client: { name: "", version: "" },
};
