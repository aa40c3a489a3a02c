/**
 * A client without an SDK: it sees every member that came, in either era. It does what the protocol
 * asks of a client and nothing else: questions are answered, an `input_required` is tried again with
 * the answers, a cancelled request is no longer waited for.
 */
import { z } from "zod";
import { answerTo, capabilities, clientInfo } from "./client-answers.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Era, Json, MatrixClient, Message, Outcome, RequestOptions } from "./matrix-client.ts";
import type { Carrier } from "./raw-carriers.ts";
import { openCarrier } from "./raw-carriers.ts";
import type { WireStep } from "./tap-progress.ts";

const record = z.record(z.string(), z.unknown());
const incoming = z.object({
  id: z.union([z.string(), z.number()]).nullish(),
  method: z.string().optional(),
  params: record.default({}),
  result: record.optional(),
  error: z.object({ code: z.number(), message: z.string() }).optional(),
});
const inputRequired = z.object({
  resultType: z.literal("input_required"),
  inputRequests: z
    .record(z.string(), z.object({ method: z.string(), params: record.default({}) }))
    .default({}),
  requestState: z.string().optional(),
});
const greeted = z.object({ capabilities: record, instructions: z.string().default("") });

const envelope = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": capabilities,
  "io.modelcontextprotocol/clientInfo": clientInfo,
};

const acknowledged = "notifications/subscriptions/acknowledged";

interface Waiting {
  readonly settle: (outcome: Outcome) => void;
  readonly onProgress: RequestOptions["onProgress"];
}

export async function connectRaw(endpoint: Endpoint, era: Era): Promise<MatrixClient> {
  const wire = new RawWire(endpoint, era);
  const greeting =
    era === "modern" ? await wire.request("server/discover", {}, {}) : await greet(wire);
  if (!("result" in greeting)) throw new Error(`not greeted: ${JSON.stringify(greeting)}`);
  return {
    era,
    greeting: greeted.parse(greeting.result),
    heard: wire.heard,
    progress: wire.progress,
    asked: wire.asked,
    request: (method, params = {}, options = {}) => wire.request(method, params, options),
    notify: (method) => wire.send({ jsonrpc: "2.0", method }),
    listen: (notifications) => wire.listen(notifications),
    close: () => wire.close(),
  };
}

async function greet(wire: RawWire): Promise<Outcome> {
  const answer = await wire.request(
    "initialize",
    { protocolVersion: "2025-11-25", capabilities, clientInfo },
    {},
  );
  await wire.send({ jsonrpc: "2.0", method: "notifications/initialized" });
  wire.open();
  return answer;
}

class RawWire {
  readonly heard: Message[] = [];
  readonly progress: WireStep[] = [];
  readonly asked: Message[] = [];
  readonly #endpoint: Endpoint;
  readonly #era: Era;
  readonly #carrier: Carrier;
  readonly #waiting = new Map<unknown, Waiting>();
  #nextId = 1;

  constructor(endpoint: Endpoint, era: Era) {
    this.#endpoint = endpoint;
    this.#era = era;
    this.#carrier = openCarrier(endpoint, era, (message) => this.#receive(message));
  }

  send(message: Json, signal?: AbortSignal): Promise<void> {
    return this.#carrier.send(message, signal);
  }

  open(): void {
    this.#carrier.open();
  }

  close(): Promise<void> {
    return this.#carrier.close();
  }

  /** Sends a request, and again with answers as long as the server asks for them. */
  async request(method: string, params: Json, options: RequestOptions): Promise<Outcome> {
    const outcome = await this.#once(method, params, options);
    const asks = "result" in outcome ? inputRequired.safeParse(outcome.result) : undefined;
    if (asks?.success !== true) return outcome;
    const { inputRequests, requestState } = asks.data;
    const answers = Object.entries(inputRequests).map(([key, question]) => {
      this.asked.push(question);
      return [key, answerTo(question, this.#endpoint.roots)];
    });
    const inputResponses = Object.fromEntries(answers);
    const state = requestState === undefined ? {} : { requestState };
    return await this.request(method, { ...params, inputResponses, ...state }, options);
  }

  /** Resolves at the acknowledgement; what is returned ends the subscription. */
  async listen(notifications: Json): Promise<() => Promise<void>> {
    const mark = this.heard.length;
    const isAcknowledged = (): boolean =>
      this.heard.slice(mark).some(({ method }) => method === acknowledged);
    const ending = new AbortController();
    const ended = this.#once("subscriptions/listen", { notifications }, { signal: ending.signal });
    while (!isAcknowledged()) await new Promise((resolve) => setTimeout(resolve, 20));
    return async () => {
      ending.abort();
      await ended;
    };
  }

  #once(method: string, params: Json, { signal, onProgress }: RequestOptions): Promise<Outcome> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve) => {
      const settle = (outcome: Outcome): void => {
        if (this.#waiting.delete(id)) resolve(outcome);
      };
      this.#waiting.set(id, { settle, onProgress });
      signal?.addEventListener("abort", () => {
        const cancelled = { method: "notifications/cancelled", params: { requestId: id } };
        if (this.#waiting.has(id)) void this.send({ jsonrpc: "2.0", ...cancelled }).catch(() => {});
        settle({ ended: "aborted" });
      });
      const sent = { jsonrpc: "2.0", id, method, params: this.#envelop(params, onProgress && id) };
      this.send(sent, signal).catch((thrown: unknown) =>
        settle({ error: { code: 0, message: String(thrown) } }),
      );
    });
  }

  #envelop(params: Json, progressToken: number | undefined): Json {
    const meta = {
      ...(this.#era === "modern" ? envelope : {}),
      ...(progressToken === undefined ? {} : { progressToken }),
      ...record.parse(params["_meta"] ?? {}),
    };
    return Object.keys(meta).length === 0 ? params : { ...params, _meta: meta };
  }

  #receive(message: Json): void {
    const { id, method, params, result, error } = incoming.parse(message);
    if (method === undefined) {
      const outcome = error === undefined ? { result: result ?? {} } : { error };
      this.#waiting.get(id)?.settle(outcome);
    } else if (id === undefined || id === null) {
      this.#hear({ method, params });
    } else {
      this.#answer(id, { method, params });
    }
  }

  #hear(notice: Message): void {
    if (notice.method === "notifications/progress") this.#hearProgress(notice.params);
    else this.heard.push(notice);
  }

  #hearProgress({ progressToken: token, ...params }: Json): void {
    const tell = this.#waiting.get(token)?.onProgress;
    const isStray = tell === undefined;
    this.progress.push({ token, isStray, params, isPassedOn: !isStray });
    tell?.(params);
  }

  #answer(id: string | number, question: Message): void {
    const result = answerTo(question, this.#endpoint.roots);
    if (question.method !== "ping") this.asked.push(question);
    const answer =
      result === undefined ? { error: { code: -32_601, message: "unknown" } } : { result };
    void this.send({ jsonrpc: "2.0", id, ...answer }).catch(() => {});
  }
}
