/**
 * Steps 7 to 9: the request itself, its result, its outcome. A request is sent once and never
 * again, whatever becomes of it; a result that is withheld says that it ran.
 */
import type { UpstreamReply } from "../../mcp/upstream/upstream-connection.ts";
import type { GatewayParts } from "../parts.ts";
import { askClient } from "./ask-client.ts";
import { attendCall } from "./attend-call.ts";
import type { Allowed, ForwardReply } from "./conclude.ts";
import { conclude } from "./conclude.ts";
import type { Continuation } from "./continuation.ts";
import { readContinuation } from "./continuation.ts";
import { giveBack } from "./give-back.ts";
import { holdCall, resumeCall } from "./hold-call.ts";
import { isResultGuarded, withObligedEars } from "./obliged-request.ts";
import { invalidState } from "./replies.ts";
import { settle } from "./settle.ts";
import { upstreamRequest } from "./upstream-request.ts";

/** Makes an allowed request and settles its record. */
export async function forward(parts: GatewayParts, admitted: Allowed): Promise<ForwardReply> {
  const allowed = await withObligedEars(parts, admitted);
  const { request, action } = allowed;
  if (request.signal.aborted) {
    settle(parts, action, "not_forwarded", undefined);
    await giveBack(parts, action);
    return { kind: "cancelled" };
  }
  const continuation = readContinuation(parts, allowed);
  if (continuation.kind === "invalid") {
    settle(parts, action, "not_forwarded", undefined);
    await giveBack(parts, action);
    return invalidState("Invalid or expired requestState: start the request again without it");
  }
  if (continuation.kind === "held") return await resumeCall(parts, allowed, continuation.call);
  if (mayBeAsked(allowed)) {
    return await (request.ask === undefined ? holdCall : attendCall)(parts, allowed, continuation);
  }
  return await conclude(parts, allowed, await send(parts, allowed, continuation));
}

/** In the middle of its request, a modern one when it comes back. Subscriptions are kept elsewhere. */
function mayBeAsked({ request: { subject }, target }: Allowed): boolean {
  const isSubscription = subject.type === "resource_subscribe" || subject.type === "task_subscribe";
  return target.server.toClient.length > 0 && !isSubscription;
}

function send(
  parts: GatewayParts,
  allowed: Allowed,
  continuation: Continuation,
): Promise<UpstreamReply> {
  const { request, target } = allowed;
  const { client, hearer = client, ask } = request;
  const { server, name } = target;
  if (request.subject.type === "resource_subscribe") {
    return parts.subscriptions.add(hearer, server, name);
  }
  if (request.subject.type === "task_subscribe") {
    const { key } = client.principal;
    if (isResultGuarded(parts, allowed)) parts.tasks.guard(key, server.id, name);
    return parts.subscriptions.addTask(hearer, server, name);
  }
  const wanted = upstreamRequest(parts, request, target, {
    continuation,
    sessionLogLevel: parts.logLevels.of(client),
    onRequest: (question) => askClient(parts, { client, server, during: target, ask }, question),
  });
  return parts.fleet.request(server.id, client, wanted);
}
