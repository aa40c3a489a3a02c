/**
 * Tells a client that its call still waits, so that it does not give up. Progress has to rise, and
 * what the server says later begins at nothing: the time that is left, as a negative number, is less
 * than all of it.
 */
import type { Approval } from "../../policy/approvals/approval.ts";
import type { ActionRequest } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";

const everyMs = 5000;

/** Tells at once and again and again, where the client asked for progress; returns how to stop. */
export function tellWaiting(
  { clock, config }: Pick<GatewayParts, "clock" | "config">,
  { onProgress }: Pick<ActionRequest, "onProgress">,
  { id }: Pick<Approval, "id">,
): () => void {
  if (onProgress === undefined) return () => {};
  const endMs = clock.monotonicMs() + config.approvals.waitMs;
  const message = `waiting for a person to approve this call (approval ${id})`;
  let last = Number.NEGATIVE_INFINITY;
  const tell = (): void => {
    const progress = (clock.monotonicMs() - endMs) / 1000;
    if (progress <= last || progress >= 0) return;
    last = progress;
    onProgress({ progress, message });
  };
  tell();
  const timer = setInterval(tell, Math.min(everyMs, config.approvals.waitMs / 2));
  timer.unref();
  return () => clearInterval(timer);
}
