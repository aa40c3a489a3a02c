/**
 * Calls under way. A block ends those it names: the server is told that the request is cancelled, and
 * the client gets a denial instead of the result. What had left may have run, and the denial says so.
 */
import { gatewayDenial } from "../../policy/combine.ts";
import type { Stop } from "../blocks/blocks.ts";
import type { ActionReply } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Allowed, ForwardReply } from "./conclude.ts";
import { giveBack } from "./give-back.ts";
import { deniedOrHeld } from "./replies.ts";
import { settle } from "./settle.ts";
import { sentenceOf, stopOf } from "./stopped.ts";

interface Flight {
  readonly allowed: Allowed;
  readonly course: AbortController;
}

/** Everything that was sent and has not ended. */
export class Flights {
  readonly #flights = new Set<Flight>();

  add(flight: Flight): void {
    this.#flights.add(flight);
  }

  remove(flight: Flight): void {
    this.#flights.delete(flight);
  }

  /** Ends what may not go on. */
  endWhere(isEnded: (allowed: Allowed) => boolean): void {
    for (const { allowed, course } of this.#flights) if (isEnded(allowed)) course.abort();
  }
}

/** Sends what is allowed, unless it was stopped meanwhile or is while it is under way. */
export async function whileAllowed(
  parts: GatewayParts,
  allowed: Allowed,
  send: (allowed: Allowed) => Promise<ForwardReply>,
): Promise<ForwardReply> {
  const { request, action, target } = allowed;
  const early = stopOf(parts, action, target);
  if (early !== undefined) {
    settle(parts, action, "not_forwarded", undefined);
    await giveBack(parts, action);
    return stoppedReply(allowed, early, "it was not sent");
  }
  const course = new AbortController();
  const cancel = (): void => course.abort();
  if (request.signal.aborted) cancel();
  request.signal.addEventListener("abort", cancel, { once: true });
  const flight = { allowed, course };
  parts.flights.add(flight);
  try {
    const reply = await send({ ...allowed, request: { ...request, signal: course.signal } });
    if (reply.kind !== "cancelled" || request.signal.aborted) return reply;
    const stop = stopOf(parts, action, target);
    return stop === undefined ? reply : stoppedReply(allowed, stop, "it may have run");
  } finally {
    parts.flights.remove(flight);
    request.signal.removeEventListener("abort", cancel);
  }
}

function stoppedReply({ action }: Allowed, stop: Stop, whatRan: string): ActionReply {
  const message = `${sentenceOf(stop)} This call was stopped on its way: ${whatRan}.`;
  return deniedOrHeld(action, gatewayDenial(action.decisionId, stop.code, message));
}
