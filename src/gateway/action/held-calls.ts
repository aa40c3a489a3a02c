/**
 * Calls of modern clients whose legacy server asks something in the middle: the call stays open
 * upstream, the client gets `input_required` and comes back with the answers. A held call belongs to
 * one principal and one request, and ends with its time.
 */
import type { NewId } from "../../contract/ambient.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { Principal } from "../../contract/principal.ts";
import type { UpstreamReply } from "../../mcp/upstream/upstream-connection.ts";
import type { ApprovalGrant } from "../../policy/approvals/approval-grant.ts";
import type { StopPlace } from "../blocks/block.ts";
import type { ActionRequest, ClientQuestion, ClientReply } from "../gateway.ts";
import type { Decided } from "./action.ts";

/** What a held call came to: its end, or questions for the client. */
export type HeldStep =
  | { readonly kind: "ended"; readonly reply: UpstreamReply }
  | { readonly kind: "asks"; readonly questions: ReadonlyMap<string, ClientQuestion> };

type Exchange = Pick<ActionRequest, "onProgress" | "onNotification">;

interface Waiting {
  readonly question: ClientQuestion;
  readonly answer: (reply: ClientReply) => void;
}

const maxAgeMs = 10 * 60 * 1000;
const maxHeld = 1000;
const maxHeldPerPrincipal = 32;
const maxMissed = 64;
const callEnded = "the call has ended";
const takenBack: ClientReply = { kind: "error", code: -32_800, message: "cancelled" };

/** One call that is open upstream, whichever exchange with the client is looking at it. */
export class HeldCall {
  readonly id: string;
  readonly principal: Principal;
  /** Where it is open. */
  readonly place: StopPlace;
  /** What policy said to it and to each answer that came since. */
  readonly decided: Decided[] = [];
  /** What people agreed to for it. */
  readonly approval: ApprovalGrant | undefined;
  /** The exchange that hears progress and messages now; `undefined` while the client is away. */
  #exchange: Exchange | undefined;
  /** What was said while the client was away. */
  #missed: ((exchange: Exchange) => void)[] = [];
  readonly #upstream = new AbortController();
  readonly #waiting = new Map<string, Waiting>();
  #reply: UpstreamReply | undefined;
  /** Exchanges that wait for something to happen. */
  readonly #waking = new Set<() => void>();
  #asked = 0;

  constructor(id: string, place: StopPlace, request: ActionRequest) {
    this.id = id;
    this.place = place;
    this.principal = request.client.principal;
    this.approval = request.approval;
    this.#exchange = request;
  }

  /** Ends the request upstream where it aborts. */
  get signal(): AbortSignal {
    return this.#upstream.signal;
  }

  get hasEnded(): boolean {
    return this.#reply !== undefined;
  }

  /** The client is back: it hears first what was said meanwhile. */
  attach(exchange: Exchange): void {
    this.#exchange = exchange;
    for (const say of this.#missed.splice(0)) say(exchange);
  }

  /** The client goes for answers. */
  detach(): void {
    this.#exchange = undefined;
  }

  /** Lets the client hear something, now or when it is back; the oldest is forgotten first. */
  tell(say: (exchange: Exchange) => void): void {
    if (this.#exchange !== undefined) return say(this.#exchange);
    this.#missed.push(say);
    if (this.#missed.length > maxMissed) this.#missed.shift();
  }

  /** Takes a question of the server; resolves with the client's answer, some exchanges later. */
  ask(question: ClientQuestion): Promise<ClientReply> {
    if (question.signal.aborted) return Promise.resolve(takenBack);
    const key = questionKey(question.method, (this.#asked += 1));
    return new Promise((resolve) => {
      const answer = (reply: ClientReply): void => {
        this.#waiting.delete(key);
        resolve(reply);
      };
      this.#waiting.set(key, { question, answer });
      question.signal.addEventListener("abort", () => answer(takenBack), { once: true });
      // It may have been decided while the call ended.
      if (this.hasEnded) this.refuseAll(callEnded);
      this.#wake();
    });
  }

  /** Hands over the client's answers; keys that nobody asked for are ignored. */
  deliver(responses: JsonObject): void {
    for (const [key, { answer }] of this.#waiting) {
      const response = responses[key];
      if (response !== undefined) answer({ kind: "result", resultJson: JSON.stringify(response) });
    }
  }

  /** Takes the reply; a question that is still open is refused, since nobody will come back for it. */
  end(reply: UpstreamReply): void {
    this.#reply = reply;
    this.refuseAll(callEnded);
    this.#wake();
  }

  /** Waits for the end or for questions; the call is given up where the client's `signal` aborts. */
  async next(signal: AbortSignal): Promise<HeldStep> {
    const giveUp = (): void => this.abort();
    signal.addEventListener("abort", giveUp, { once: true });
    while (this.#reply === undefined && this.#waiting.size === 0) {
      await new Promise<void>((resolve) => void this.#waking.add(resolve));
    }
    signal.removeEventListener("abort", giveUp);
    if (this.#reply !== undefined) return { kind: "ended", reply: this.#reply };
    const questions = [...this.#waiting].map(([key, { question }]) => [key, question] as const);
    return { kind: "asks", questions: new Map(questions) };
  }

  /** Answers every question with a refusal: the client cannot be waited for. */
  refuseAll(message: string): void {
    for (const { answer } of this.#waiting.values())
      answer({ kind: "error", code: -32_603, message });
  }

  #wake(): void {
    for (const wake of this.#waking) wake();
    this.#waking.clear();
  }

  /** Cancels the request upstream, which then ends the call. */
  abort(): void {
    this.#upstream.abort();
  }
}

/** All held calls of one gateway. */
export class HeldCalls {
  readonly #newId: NewId;
  readonly #held = new Map<string, { readonly call: HeldCall; readonly timer: NodeJS.Timeout }>();

  constructor(newId: NewId) {
    this.#newId = newId;
  }

  /** A call that is not held yet. */
  open(place: StopPlace, request: ActionRequest): HeldCall {
    return new HeldCall(this.#newId(), place, request);
  }

  /** Keeps a call for its client's return; false where too many are kept. */
  keep(call: HeldCall): boolean {
    if (this.#held.has(call.id)) return true;
    const own = [...this.#held.values()].filter(
      (held) => held.call.principal.key === call.principal.key,
    );
    if (this.#held.size >= maxHeld || own.length >= maxHeldPerPrincipal) return false;
    const timer = setTimeout(() => this.drop(call), maxAgeMs);
    timer.unref();
    this.#held.set(call.id, { call, timer });
    return true;
  }

  find(id: string): HeldCall | undefined {
    return this.#held.get(id)?.call;
  }

  /** Forgets a call and cancels it where it still runs. */
  drop(call: HeldCall): void {
    clearTimeout(this.#held.get(call.id)?.timer);
    this.#held.delete(call.id);
    if (!call.hasEnded) call.abort();
  }

  /** Gives up what nobody may come back for. */
  dropWhere(isDropped: (call: HeldCall) => boolean): void {
    for (const { call } of this.#held.values()) if (isDropped(call)) this.drop(call);
  }

  close(): void {
    for (const { call } of this.#held.values()) this.drop(call);
  }
}

/** Under what the answer to the `count`th question of a call goes. */
export function questionKey(method: string, count: number): string {
  return `${method.replaceAll("/", "_")}_${count}`;
}

/** Until when the state of a held call is good. */
export function heldUntil(nowMs: number): number {
  return nowMs + maxAgeMs;
}
