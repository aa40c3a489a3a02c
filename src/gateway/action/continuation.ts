/**
 * What the `requestState` of a retry stands for. It is good for the principal it was given to, for
 * the request it was given with, and until it runs out; with anything else nothing is sent.
 */
import { sha256Of } from "../../contract/sha256.ts";
import type { ActionRequest } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Target } from "./action.ts";
import type { HeldCall } from "./held-calls.ts";
import { heldUntil } from "./held-calls.ts";

export type Continuation =
  | { readonly kind: "none" }
  /** The state that the upstream gave, to be handed back to it. */
  | { readonly kind: "upstream"; readonly state: string }
  | { readonly kind: "held"; readonly call: HeldCall }
  | { readonly kind: "invalid" };

/** A request and the server that it is for. */
interface Asked {
  readonly request: ActionRequest;
  readonly target: Pick<Target, "server">;
}

/** Reads the state of a request. */
export function readContinuation(parts: GatewayParts, asked: Asked): Continuation {
  const { requestState } = asked.request;
  if (requestState === undefined) return { kind: "none" };
  const nowMs = parts.clock.nowMs();
  const binding = bindingOf(asked);
  const upstream = parts.seal.open(requestState, { ...binding, purpose: "upstream" }, nowMs);
  if (typeof upstream?.["s"] === "string") return { kind: "upstream", state: upstream["s"] };
  const held = parts.seal.open(requestState, { ...binding, purpose: "held" }, nowMs);
  const call = typeof held?.["id"] === "string" ? parts.heldCalls.find(held["id"]) : undefined;
  return call === undefined ? { kind: "invalid" } : { kind: "held", call };
}

/** A client that comes back with what is not allowed gets no further with its held call. */
export function abandonHeld(parts: GatewayParts, asked: Asked): void {
  const continuation = readContinuation(parts, asked);
  if (continuation.kind === "held") parts.heldCalls.drop(continuation.call);
}

/** State of a call that is held here. */
export function sealHeld(parts: GatewayParts, asked: Asked, call: HeldCall): string {
  const binding = { ...bindingOf(asked), purpose: "held" } as const;
  return parts.seal.close({ id: call.id }, binding, heldUntil(parts.clock.nowMs()));
}

/** State that an upstream gave, bound to this principal and request. */
export function sealUpstream(parts: GatewayParts, asked: Asked, state: string): string {
  const binding = { ...bindingOf(asked), purpose: "upstream" } as const;
  return parts.seal.close({ s: state }, binding, heldUntil(parts.clock.nowMs()));
}

function bindingOf({ request: { client, subject }, target }: Asked) {
  const request = sha256Of(JSON.stringify([target.server.id, subject]));
  return { principalKey: client.principal.key, request };
}
