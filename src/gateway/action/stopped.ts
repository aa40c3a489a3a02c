/**
 * What an operator has stopped is refused before any policy is asked about it. Only whether the
 * agent may see the thing is asked, or a block would tell a hidden tool from an unknown one.
 */
import type { Principal } from "../../contract/principal.ts";
import { subjectText } from "../blocks/block.ts";
import type { StopPlace } from "../blocks/block.ts";
import type { Stop } from "../blocks/blocks.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action, Decided, Target } from "./action.ts";
import { hidden } from "./decide.ts";
import { refusal } from "./refuse.ts";

/** The denial of an action that may not go on. */
export async function judgeStopped(
  parts: GatewayParts,
  action: Action,
  target: Target,
  stop: Stop,
): Promise<Decided> {
  const sight = await parts.visibility.of(action.principal, target.seenAs);
  if (!sight.isVisible) return hidden(parts, action, target, sight);
  return refusal(parts, action, target, stop.code, sentenceOf(stop));
}

/** Why this action may not go on. */
export function stopOf(
  { blocks }: Pick<GatewayParts, "blocks">,
  { principal }: Pick<Action, "principal">,
  target: Target,
): Stop | undefined {
  return blocks.stopOf(principal, placeOf(target));
}

/** True for somebody who gets neither lists nor messages. */
export function isBlocked(
  { blocks }: Pick<GatewayParts, "blocks">,
  principal: Principal,
  place?: StopPlace,
): boolean {
  return blocks.stopOf(principal, place)?.code === "blocked";
}

/** The tool of a task, and of a question the one that was being called. */
export function placeOf({ server, action: { about } }: Target): StopPlace {
  const { tool } = about;
  return { server: server.id, tool: typeof tool === "string" ? tool : undefined };
}

/** For the client, after the sentence of the code: what is stopped, never who did it or why. */
export function sentenceOf(stop: Stop): string {
  if (stop.code === "blocked") {
    return `What is stopped: ${subjectText(stop.block)}.`;
  }
  return "It is not known what the operator of the gateway has stopped, because the store that says so never answered. Try again later, or tell the operator.";
}
