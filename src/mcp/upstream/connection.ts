/**
 * JSON-RPC with one upstream, whatever carries it: ids, deadlines, progress, cancellation, and who
 * hears what the upstream says unasked. It promises that each request ends exactly once, whatever
 * the upstream does: garbage, a late or second answer, an answer to somebody else's request, death.
 * Every message it sends is built here from parts.
 */
import type { Log } from "../../contract/ambient.ts";
import type { JsonObject } from "../../contract/json.ts";
import { isRecord } from "../../contract/json.ts";
import { dispositionOf, legacyVersions } from "../wire/method-table.ts";
import type { ServerMessage } from "../wire/read-server-message.ts";
import type { RequestId, RpcError } from "../wire/rpc.ts";
import {
  encodeError,
  encodeNotification,
  encodeRequest,
  encodeResult,
  isRequestId,
  rpcCodes,
} from "../wire/rpc.ts";
import type { Carrier, CarrierSink, Channel, Speech } from "./carrier.ts";
import { encodeParams } from "./encode-params.ts";
import { failed } from "./failed.ts";
import type { OpenRequest } from "./open-requests.ts";
import { OpenRequests, listenMethod } from "./open-requests.ts";
import { readProgress } from "./read-progress.ts";
import type { IncomingRequest } from "./server-requests.ts";
import { ServerRequests } from "./server-requests.ts";
import type {
  ServerNotification,
  UpstreamListener,
  UpstreamReply,
  UpstreamRequest,
} from "./upstream-connection.ts";

export interface ConnectionDeps {
  readonly log: Log;
  /** Hears what belongs to no request. */
  readonly listener: UpstreamListener;
  /** Makes the carrier, which is handed the connection. */
  readonly carry: (sink: CarrierSink) => Carrier;
}

const invalidParams = { code: rpcCodes.invalidParams, message: "Invalid params" };
const unknownMethod = { code: rpcCodes.methodNotFound, message: "Method not found" };
const subscriptionKey = "io.modelcontextprotocol/subscriptionId";

/** The caller opens and closes what carries it, and says when it is lost. */
export class Connection implements CarrierSink {
  readonly #deps: ConnectionDeps;
  readonly #carrier: Carrier;
  readonly #open: OpenRequests;
  readonly #asked: ServerRequests;
  #speech: Speech = { era: "legacy", protocolVersion: undefined };
  #lostBecause: string | undefined;
  #nextId = 1;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
    this.#carrier = deps.carry(this);
    this.#open = new OpenRequests((id, notice) => this.#carrier.abandon(id, notice));
    this.#asked = new ServerRequests({ log: deps.log, send: (text) => this.#post(text) });
  }

  /** Sends a request; resolves exactly once and never rejects. */
  request(wanted: UpstreamRequest): Promise<UpstreamReply> {
    if (this.#lostBecause !== undefined) {
      return Promise.resolve(failed("upstream_lost", this.#lostBecause));
    }
    const refusal = this.#carrier.refusal();
    if (refusal !== undefined) return Promise.resolve(failed("upstream_busy", refusal));
    if (wanted.signal?.aborted === true) return Promise.resolve(failed("cancelled", "cancelled"));
    return new Promise((resolve) => {
      const id = this.#nextId;
      this.#nextId += 1;
      const speech = this.#speech;
      const text = encodeRequest(id, wanted.method, encodeParams(wanted, id, speech));
      this.#open.add(id, wanted, resolve);
      this.#carrier.send({ id, text, wanted, speech });
    });
  }

  /** Sends a notification; resolves with a reason where it could not be sent. */
  async notify(method: string, params?: JsonObject): Promise<string | undefined> {
    if (this.#lostBecause !== undefined) return this.#lostBecause;
    return await this.#carrier.post(encodeNotification(method, params));
  }

  /** Era and version of everything that is sent from now on. */
  speak(speech: Speech): void {
    this.#speech = speech;
    this.#carrier.speak(speech);
  }

  /** Ends every open request with `upstream_lost`; later ones end at once. */
  lose(reason: string): void {
    this.#lostBecause ??= reason;
    this.#open.lose(reason);
    this.#asked.lose();
  }

  settle(id: number, reply: UpstreamReply): void {
    const open = this.#open.get(id);
    if (open === undefined) this.#deps.log.debug({ id }, "upstream answer without an open request");
    else open.end(reply);
  }

  receive(message: ServerMessage, channel: Channel): void {
    switch (message.kind) {
      case "result":
        this.#settle(message.id, channel, { kind: "result", result: message.result });
        return;
      case "error":
        this.#settle(message.id, channel, { kind: "error", error: message.error });
        return;
      case "request":
        this.#answer(message, channel);
        return;
      case "bad_request":
        this.#deps.log.warn({ reason: message.reason }, "upstream sent a malformed request");
        this.#refuse(message.id, channel, invalidParams);
        return;
      case "notification":
        this.#hear(message, channel);
        return;
      case "garbage":
        this.#deps.log.warn({ reason: message.reason }, "upstream sent what is no message");
        if (message.id === undefined) return;
        this.#settle(
          message.id,
          channel,
          failed("upstream_garbage", "the server's answer was malformed"),
        );
    }
  }

  /** An answer on the stream of one request is for that request; on a standing stream for none. */
  #settle(id: RequestId, channel: Channel, reply: UpstreamReply): void {
    const isMine = channel === "shared" || channel === id;
    if (typeof id === "number" && isMine) this.settle(id, reply);
    else this.#deps.log.warn({ id }, "upstream answered what was not asked there");
  }

  #answer(request: IncomingRequest, channel: Channel): void {
    const { id, method } = request;
    const disposition = dispositionOf("serverRequests", method, this.#version);
    if (disposition === "local") return this.#post(encodeResult(id, "{}"));
    const isNamed = typeof channel === "number";
    const askable = this.#open.hearing("onRequest");
    const open = isNamed ? this.#open.get(channel) : askable.at(-1);
    const own = open?.wanted.onRequest;
    const ask = own ?? this.#deps.listener.onRequest;
    if (disposition === "refuse" || ask === undefined) {
      this.#deps.log.info({ method }, "request of an upstream refused");
      return this.#refuse(id, channel, unknownMethod);
    }
    const isAttributed = isNamed || askable.length === 1;
    open?.deadline.hold();
    void this.#asked
      .take(request, (asked) => ask({ ...asked, isAttributed }))
      .finally(() => open?.deadline.release());
  }

  #hear({ method, params }: ServerNotification, channel: Channel): void {
    if (method === "notifications/cancelled") return this.#takeBack(params["requestId"]);
    if (method === "notifications/progress") return this.#passProgress(params);
    if (dispositionOf("serverNotifications", method, this.#version) === "refuse") {
      this.#deps.log.debug({ method }, "notification of an upstream dropped");
      return;
    }
    const meta = params["_meta"];
    const subscription = isRecord(meta) ? meta[subscriptionKey] : undefined;
    const hears = this.#hearerOf(method, subscription, channel);
    hears?.({ method, params });
  }

  /** Whose notification it is; one of a subscription that is not open is nobody's. */
  #hearerOf(
    method: string,
    subscription: unknown,
    channel: Channel,
  ): UpstreamListener["onNotification"] {
    const own = this.#open.get(channel);
    if (own?.wanted.method === listenMethod) return own.wanted.onNotification;
    if (subscription !== undefined && this.#speech.era === "modern") {
      const open = this.#open.get(subscription);
      return open?.wanted.method === listenMethod ? open.wanted.onNotification : undefined;
    }
    const shared = this.#deps.listener.onNotification;
    if (method !== "notifications/message") return shared;
    const open = typeof channel === "number" ? own : this.#open.hearing("onNotification").at(-1);
    return open?.wanted.onNotification ?? shared;
  }

  /** Legacy: the upstream's own request. Modern: a subscription, the only thing that it may end. */
  #takeBack(id: unknown): void {
    if (this.#speech.era === "legacy") {
      if (isRequestId(id)) this.#asked.takeBack(id);
      return;
    }
    const open = this.#open.get(id);
    if (open?.wanted.method !== listenMethod) return;
    open.end(failed("upstream_lost", "the server ended the subscription"));
  }

  #passProgress(params: Readonly<Record<string, unknown>>): void {
    const open: OpenRequest | undefined = this.#open.get(params["progressToken"]);
    const progress = readProgress(params);
    if (open?.wanted.onProgress === undefined || progress === undefined) return;
    open.deadline.restart();
    open.wanted.onProgress(progress);
  }

  /** Servers that are told nothing yet may speak already. */
  get #version(): string {
    return this.#speech.protocolVersion ?? legacyVersions[0];
  }

  /** A modern server over HTTP has broken its rules, and there is no way to tell it. */
  #refuse(id: RequestId, channel: Channel, error: RpcError): void {
    if (this.#speech.era === "legacy" || channel === "shared") this.#post(encodeError(id, error));
  }

  #post(text: string): void {
    if (this.#lostBecause === undefined) void this.#carrier.post(text);
  }
}
