/**
 * Requests of the gateway to a legacy client: their ids, their answers, their end. Each ends exactly
 * once: with the client's answer, with the server's taking it back, or with the session.
 */
import type { ClientQuestion, ClientReply } from "../../gateway/gateway.ts";
import type { ClientAnswer } from "../wire/read-client-answer.ts";
import type { RequestId } from "../wire/rpc.ts";
import type { OutgoingMessage } from "./outgoing-message.ts";
import { notificationMessage, requestMessage } from "./outgoing-message.ts";

const maxOpen = 256;
const cancelledReply = refused(-32_800, "cancelled");

export class PendingQuestions {
  readonly #send: (message: OutgoingMessage) => void;
  readonly #open = new Map<RequestId, (reply: ClientReply) => void>();
  #nextId = 1;

  constructor(send: (message: OutgoingMessage) => void) {
    this.#send = send;
  }

  /** Asks; `related` is the client's request in whose course this happens. */
  ask(question: ClientQuestion, related: RequestId | undefined): Promise<ClientReply> {
    if (question.signal.aborted) return Promise.resolve(cancelledReply);
    if (this.#open.size >= maxOpen) {
      return Promise.resolve(refused(-32_603, "the client has too many open questions"));
    }
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve) => {
      const end = (reply: ClientReply): void => {
        if (!this.#open.delete(id)) return;
        question.signal.removeEventListener("abort", takeBack);
        resolve(reply);
      };
      const takeBack = (): void => {
        this.#send(notificationMessage("notifications/cancelled", { requestId: id }, related));
        end(cancelledReply);
      };
      question.signal.addEventListener("abort", takeBack, { once: true });
      this.#open.set(id, end);
      this.#send(requestMessage(id, question.method, question.paramsJson, related));
    });
  }

  /** Takes an answer; false where nobody asked. */
  settle(id: RequestId, answer: ClientAnswer): boolean {
    const end = this.#open.get(id);
    end?.(answer);
    return end !== undefined;
  }

  /** The client answered with something unusable, or is gone. */
  fail(id: RequestId, message: string): void {
    this.#open.get(id)?.(refused(-32_603, message));
  }

  close(): void {
    for (const end of this.#open.values()) end(cancelledReply);
  }
}

/** What the client did not say itself. */
function refused(code: number, message: string): ClientReply {
  return { kind: "error", code, message, origin: "gateway" };
}
