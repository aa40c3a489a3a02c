/**
 * The life of one decided request. Nothing reaches an upstream before its allow decision is durable,
 * and what leaves is what policy judged. Each step is a file in `action/`; the failures of each are
 * its answers, never exceptions.
 */
import { admit } from "./action/admit.ts";
import type { ForwardReply } from "./action/conclude.ts";
import { abandonHeld } from "./action/continuation.ts";
import { whileAllowed } from "./action/flights.ts";
import { forward } from "./action/forward.ts";
import { takeVouch } from "./action/take-vouch.ts";
import type { ActionReply, ActionRequest } from "./gateway.ts";
import type { GatewayParts } from "./parts.ts";

/** Does what a client asked for; a retry that its server wants is decided like a new request. */
export async function act(parts: GatewayParts, asked: ActionRequest): Promise<ActionReply> {
  const taken = asked.saidConversation === undefined ? undefined : await takeVouch(parts, asked);
  if (taken?.ok === false) return taken.reply;
  let reply = await actOnce(parts, taken?.request ?? asked);
  while (reply.kind === "again") reply = await actOnce(parts, reply.request);
  return reply;
}

/** Decides, records and, where allowed, does what a client asked for. */
async function actOnce(parts: GatewayParts, request: ActionRequest): Promise<ForwardReply> {
  const admitted = await admit(parts, request);
  if (admitted.ok) {
    return await whileAllowed(parts, admitted.allowed, (allowed) => forward(parts, allowed));
  }
  if (admitted.keepsHeldCall !== true) abandonHeld(parts, request);
  return admitted.reply;
}
