/**
 * What the detectors find in an answer labels its conversation, and is on disk before the answer
 * leaves: the next call, on whatever connection or process, is decided with it.
 */
import { messageOf } from "../../errors.ts";
import type { UpstreamReply } from "../../mcp/upstream/upstream-connection.ts";
import type { Classification } from "../../policy/input/classify.ts";
import { detect } from "../../policy/input/classify.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action, Target } from "./action.ts";

/** False where it could not be remembered, so that the answer is not to be shown. */
export function bringResult(
  parts: GatewayParts,
  action: Action,
  { server }: Target,
  reply: UpstreamReply,
): boolean | Promise<boolean> {
  if (reply.kind !== "result" && reply.kind !== "error") return true;
  const found = detect(
    reply.kind === "result" ? reply.result.value : reply.error,
    server.detectors,
  );
  if (found.dataClasses.length === 0 && found.labels.length === 0) return true;
  return absorb(parts, action, server.id, found);
}

async function absorb(
  parts: GatewayParts,
  action: Action,
  server: string,
  found: Classification,
): Promise<boolean> {
  try {
    const conversation = parts.conversations.of(action.principal);
    await conversation.absorb(server, found, parts.clock.nowMs());
    return true;
  } catch (thrown) {
    parts.log.error({ reason: messageOf(thrown) }, "conversation state not written");
    return false;
  }
}
