/**
 * The requests that wait for an upstream's answer: each ends exactly once, by answer, deadline,
 * cancellation or loss, whichever comes first.
 */
import { encodeNotification } from "../wire/rpc.ts";
import { Deadline } from "./deadline.ts";
import { failed } from "./failed.ts";
import type { UpstreamListener, UpstreamReply, UpstreamRequest } from "./upstream-connection.ts";

/** Its answer stream stays open; MCP 2026-07-28, "Subscriptions". */
export const listenMethod = "subscriptions/listen";

export interface OpenRequest {
  readonly id: number;
  readonly wanted: UpstreamRequest;
  readonly deadline: Deadline;
  readonly end: (reply: UpstreamReply) => void;
}

/** Tells the carrier that an answer is not wanted any more. */
export type Abandon = (id: number, notice: string | undefined) => void;

export class OpenRequests {
  readonly #open = new Map<number, OpenRequest>();
  readonly #abandon: Abandon;

  constructor(abandon: Abandon) {
    this.#abandon = abandon;
  }

  /** Opens a request under `id`; `resolve` is called once. */
  add(id: number, wanted: UpstreamRequest, resolve: (reply: UpstreamReply) => void): void {
    const { signal, timeoutMs } = wanted;
    const giveUp = (code: "cancelled" | "upstream_timeout", message: string): void => {
      if (!this.#open.has(id)) return;
      this.#abandon(id, noticeOf(id, wanted, message));
      end(failed(code, message));
    };
    const deadline = new Deadline(timeoutMs, () =>
      giveUp("upstream_timeout", `no answer within ${timeoutMs} ms`),
    );
    const abort = (): void => giveUp("cancelled", "cancelled by the client");
    const end = (reply: UpstreamReply): void => {
      if (!this.#open.delete(id)) return;
      deadline.clear();
      signal?.removeEventListener("abort", abort);
      resolve(reply);
    };
    signal?.addEventListener("abort", abort, { once: true });
    this.#open.set(id, { id, wanted, deadline, end });
  }

  get(id: unknown): OpenRequest | undefined {
    return typeof id === "number" ? this.#open.get(id) : undefined;
  }

  /** Those that hear this kind of thing, the newest last; no subscription is among them. */
  hearing(hears: keyof UpstreamListener): readonly OpenRequest[] {
    return [...this.#open.values()].filter(
      ({ wanted }) => wanted[hears] !== undefined && wanted.method !== listenMethod,
    );
  }

  lose(reason: string): void {
    for (const open of this.#open.values()) open.end(failed("upstream_lost", reason));
  }
}

/** `initialize` must not be cancelled (MCP 2025-11-25, "Cancellation"). */
function noticeOf(id: number, { method }: UpstreamRequest, reason: string): string | undefined {
  if (method === "initialize") return undefined;
  return encodeNotification("notifications/cancelled", { requestId: id, reason });
}
