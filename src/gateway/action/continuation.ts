/**
 * What the `requestState` of a retry stands for. It is good for the principal and the conversation it
 * was given to, for the request it was given with, and until it runs out; with anything else nothing
 * is sent.
 */
import { continuityKey } from "../../contract/principal.ts";
import { sha256Of } from "../../contract/sha256.ts";
import type { ApprovalGrant } from "../../policy/approvals/approval-grant.ts";
import { grantsOf } from "../../policy/approvals/approval-grant.ts";
import type { ActionRequest } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { SealBinding } from "../seal.ts";
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
  const upstream = parts.seal.open(requestState, upstreamBinding(asked), nowMs);
  if (typeof upstream?.["s"] === "string") return { kind: "upstream", state: upstream["s"] };
  // The server gave none; the approval of the call came back.
  if (upstream !== undefined) return { kind: "none" };
  const call = findHeld(parts, asked.request);
  // The name may be another server's by now.
  const isItsOwn = call?.place.server === asked.target.server.id;
  return call !== undefined && isItsOwn ? { kind: "held", call } : { kind: "invalid" };
}

/** A client that comes back with what is not allowed gets no further with its held call. */
export function abandonHeld(parts: GatewayParts, request: ActionRequest): void {
  const call = findHeld(parts, request);
  if (call !== undefined) parts.heldCalls.drop(call);
}

/** State of a call that is held here. */
export function sealHeld(parts: GatewayParts, request: ActionRequest, call: HeldCall): string {
  return parts.seal.close({ id: call.id }, heldBinding(request), heldUntil(parts.clock.nowMs()));
}

/**
 * State that an upstream gave, bound to this principal and request, with the approval that the call
 * runs on. `undefined` where there is neither.
 */
export function sealUpstream(
  parts: GatewayParts,
  asked: Asked,
  state: unknown,
): string | undefined {
  const { approval } = asked.request;
  const given = typeof state === "string" ? { s: state } : {};
  if (typeof state !== "string" && approval === undefined) return undefined;
  const uses = grantsOf(approval).map(({ id, uses: count }) => [id, count] as const);
  const use = uses.length === 0 ? {} : { a: uses };
  const untilMs = heldUntil(parts.clock.nowMs());
  return parts.seal.close({ ...given, ...use }, upstreamBinding(asked), untilMs);
}

export type ApprovalUse =
  /** The call is open here, and has it. */
  | { readonly kind: "held"; readonly grant: ApprovalGrant | undefined }
  /** To be taken again, if nobody did since; the newest first. */
  | { readonly kind: "upstream"; readonly uses: readonly KnownUse[] };

interface KnownUse {
  readonly id: string;
  readonly uses: number;
}

/** The approval of the call that a retry belongs to. */
export function readApprovalUse(parts: GatewayParts, asked: Asked): ApprovalUse | undefined {
  const { requestState } = asked.request;
  if (requestState === undefined) return undefined;
  const upstream = parts.seal.open(requestState, upstreamBinding(asked), parts.clock.nowMs());
  const uses = usesOf(upstream?.["a"]);
  if (uses.length > 0) return { kind: "upstream", uses };
  const call = findHeld(parts, asked.request);
  const isItsOwn = call?.place.server === asked.target.server.id;
  return isItsOwn ? { kind: "held", grant: call?.approval } : undefined;
}

function usesOf(sealed: unknown): readonly KnownUse[] {
  if (!Array.isArray(sealed)) return [];
  return sealed.flatMap((one: unknown) => {
    const [id, uses]: readonly unknown[] = Array.isArray(one) ? one : [];
    return typeof id === "string" && typeof uses === "number" ? [{ id, uses }] : [];
  });
}

function findHeld(parts: GatewayParts, request: ActionRequest): HeldCall | undefined {
  const { requestState } = request;
  if (requestState === undefined) return undefined;
  const held = parts.seal.open(requestState, heldBinding(request), parts.clock.nowMs());
  return typeof held?.["id"] === "string" ? parts.heldCalls.find(held["id"]) : undefined;
}

/** Without the server: a call is given up even where its name stands for nothing any more. */
function heldBinding({ client, subject }: ActionRequest): SealBinding {
  const request = sha256Of(JSON.stringify(subject));
  return { purpose: "held", principalKey: continuityKey(client.principal), request };
}

function upstreamBinding({ request: { client, subject }, target }: Asked): SealBinding {
  const request = sha256Of(JSON.stringify([target.server.id, subject]));
  return { purpose: "upstream", principalKey: continuityKey(client.principal), request };
}
