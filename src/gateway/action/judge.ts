/**
 * Steps 2 to 4 and what an allowed action will bring; the same for both directions.
 */
import { classify } from "../../policy/input/classify.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action, Decided, Target } from "./action.ts";
import { decide } from "./decide.ts";
import { measure } from "./measure.ts";
import { withoutState } from "./refuse.ts";
import { remember } from "./remember.ts";

/** Classifies, measures, decides and remembers. */
export async function judge(parts: GatewayParts, action: Action, target: Target): Promise<Decided> {
  const classification = classify(target.tool && target.server.tools.get(target.tool.name));
  const input = measure(parts, action, target, classification);
  if (input === undefined) return withoutState(parts, action, target);
  return await remember(parts, action, target, await decide(parts, action, target, input));
}
