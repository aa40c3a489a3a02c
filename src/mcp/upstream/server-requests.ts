/**
 * Requests that an upstream makes of the client in the middle of its work. Each is answered once,
 * unless the upstream takes it back; a flood of them, at a time or in a minute, is answered "busy" and
 * asks nobody.
 */
import type { JsonObject } from "../../contract/json.ts";
import type { Log } from "../../contract/ambient.ts";
import { messageOf } from "../../errors.ts";
import type { RequestId } from "../wire/rpc.ts";
import { encodeError, encodeResult, rpcCodes } from "../wire/rpc.ts";
import { AskingRate } from "./asking-rate.ts";
import type { ClientAnswer, ServerRequest } from "./upstream-connection.ts";

export interface IncomingRequest {
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject;
  /** Length of its message. */
  readonly bytes: number;
}

export interface ServerRequestsDeps {
  readonly log: Log;
  readonly send: (text: string) => void;
}

type Ask = (request: Omit<ServerRequest, "isAttributed">) => Promise<ClientAnswer>;

interface Asked {
  readonly controller: AbortController;
  readonly bytes: number;
}

const maxOpen = 64;
const maxOpenBytes = 32 * 1024 * 1024;
const busyCode = -32_000;

/** The open requests of one upstream. */
export class ServerRequests {
  readonly #deps: ServerRequestsDeps;
  readonly #open = new Map<RequestId, Asked>();
  readonly #rate: AskingRate;
  #bytes = 0;

  constructor(deps: ServerRequestsDeps) {
    this.#deps = deps;
    this.#rate = new AskingRate(deps.log);
  }

  /** Asks and answers; resolves when nothing more is to be done for it. Never rejects. */
  async take(request: IncomingRequest, ask: Ask): Promise<void> {
    const { id, method, params, bytes } = request;
    const { log, send } = this.#deps;
    if (this.#open.has(id)) {
      log.warn({ method }, "upstream used the id of an open request again");
      return;
    }
    const refusal = this.#refusal(bytes);
    if (refusal !== undefined) {
      this.#rate.refuse();
      send(encodeError(id, { code: busyCode, message: `busy: ${refusal}` }));
      return;
    }
    const asked = { controller: new AbortController(), bytes };
    this.#open.set(id, asked);
    this.#bytes += bytes;
    const answer = await this.#ask(ask, { method, params, signal: asked.controller.signal });
    if (this.#open.get(id) !== asked) return;
    this.#remove(id, asked);
    send(encodeAnswer(id, answer));
  }

  /** The upstream does not want the answer any more. */
  takeBack(id: RequestId): void {
    const asked = this.#open.get(id);
    if (asked === undefined) return;
    this.#remove(id, asked);
    asked.controller.abort();
  }

  /** There is nobody left to answer. */
  lose(): void {
    for (const id of this.#open.keys()) this.takeBack(id);
    this.#rate.end();
  }

  #refusal(bytes: number): string | undefined {
    const isFull = this.#open.size >= maxOpen || this.#bytes + bytes > maxOpenBytes;
    if (isFull) return "too many open requests";
    return this.#rate.take() ? undefined : "too many requests in a minute";
  }

  async #ask(ask: Ask, request: Parameters<Ask>[0]): Promise<ClientAnswer> {
    try {
      return await ask(request);
    } catch (thrown) {
      const { method } = request;
      this.#deps.log.error({ method, reason: messageOf(thrown) }, "asking the client failed");
      return { kind: "error", error: { code: rpcCodes.internalError, message: "Internal error" } };
    }
  }

  #remove(id: RequestId, asked: Asked): void {
    this.#open.delete(id);
    this.#bytes -= asked.bytes;
  }
}

function encodeAnswer(id: RequestId, answer: ClientAnswer): string {
  return answer.kind === "result"
    ? encodeResult(id, answer.resultJson)
    : encodeError(id, answer.error);
}
