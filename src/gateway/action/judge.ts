/**
 * Steps 2 to 4 and what an allowed action will bring; the same for both directions.
 */
import { classify, detectSent } from "../../policy/input/classify.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action, Decided, Target } from "./action.ts";
import { decideCounted } from "./decide-counted.ts";
import { measure } from "./measure.ts";
import { refusal } from "./refuse.ts";
import { remember } from "./remember.ts";
import { judgeStopped, stopOf } from "./stopped.ts";

/** Classifies, measures, decides and remembers. */
export async function judge(parts: GatewayParts, action: Action, target: Target): Promise<Decided> {
  const stop = stopOf(parts, action, target);
  if (stop !== undefined) return await judgeStopped(parts, action, target, stop);
  const { server, tool } = target;
  const found = detectSent(action.sent, target.action.about, server.detectors);
  const classification = classify(tool && server.tools.get(tool.name), found);
  const input = await measure(parts, action, target, classification);
  if (typeof input === "string") {
    const isAway = input === "state_unavailable";
    const message = isAway ? "Not reached: what this conversation has seen." : undefined;
    return refusal(parts, action, target, input, message);
  }
  return await remember(parts, action, target, await decideCounted(parts, action, target, input));
}
