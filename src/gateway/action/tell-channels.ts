/**
 * The obligation `notify`: a channel of the operator's is told that a call was made. What it is told is
 * the same for every policy, and holds no arguments and no results. Nothing waits for it.
 */
import type { ObligationDone } from "../../contract/record.ts";
import type { Duty } from "../../policy/enforcement/obligations/obligation.ts";
import type { GatewayParts } from "../parts.ts";
import type { Allowed } from "./conclude.ts";

const patienceMs = 15 * 60 * 1000;

/** Hands the messages on; `changed` is 0 where too many are on their way. */
export function tellChannels(
  { config, clock, notices, log }: GatewayParts,
  { action, target }: Allowed,
  duties: readonly Duty[],
): readonly ObligationDone[] {
  return duties.flatMap((duty): readonly ObligationDone[] => {
    if (duty.type !== "notify") return [];
    const { id, type } = duty;
    const channel = config.notify.find(({ name }) => name === duty.channel);
    const body = bodyOf({ action, target }, id);
    const untilMs = clock.nowMs() + patienceMs;
    const isSent = channel !== undefined && notices.send(channel, body, untilMs, action.decisionId);
    if (!isSent)
      log.warn({ channel: duty.channel }, "a channel was not told; too much is on its way");
    return [{ id, type, changed: isSent ? 1 : 0 }];
  });
}

function bodyOf(
  { action, target }: Pick<Allowed, "action" | "target">,
  obligation: string,
): string {
  const { principal, type, asked, decisionId, timeMs } = action;
  return JSON.stringify({
    type: "decision.notice",
    timestamp: new Date(timeMs).toISOString(),
    data: {
      obligation,
      decision_id: decisionId,
      tenant: principal.tenant,
      user: principal.user.id,
      agent: principal.agent.id,
      action_type: type,
      server: target.server.id,
      tool: target.tool?.name ?? null,
      exposed_name: asked,
    },
  });
}
