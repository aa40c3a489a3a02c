/**
 * Replies to requests of which nothing was sent, each with what the reader can do.
 */
import type { FailedReply } from "../failed.ts";
import { failed } from "../failed.ts";
import type { Block, Supervision } from "./supervision.ts";
import { maxStreams } from "./supervision.ts";
import type { Waited } from "./waiting-room.ts";

export const sessionEnded = failed("cancelled", "its session has ended");
export const shuttingDown = failed("upstream_unavailable", "the gateway is shutting down");

/** What runs now may be another program than the one that was looked at for this request. */
export const anotherProgram = failed(
  "upstream_unavailable",
  "it was started anew, or did not say which tools it has, so it is not known to be the one that was pinned; repeat the request",
);

/** Nothing may be tried now; says when it may. */
export function blocked(supervision: Supervision, block: Block, nowMs: number): FailedReply {
  const cause = supervision.lastError?.code ?? "upstream_lost";
  switch (block.reason) {
    case "backing_off":
      return unavailable(`it ended or did not start (${cause}); it is tried again ${when(block)}`);
    case "open_circuit":
      return unavailable(`it failed too often (${cause}); it is tried again ${when(block)}`);
    case "on_trial":
      return unavailable(
        `it failed too often (${cause}), and another request is trying it now; repeat this one in some seconds`,
      );
  }

  function when({ untilMs }: { readonly untilMs: number }): string {
    return `in ${Math.max(0.1, Math.ceil((untilMs - nowMs) / 100) / 10)} s`;
  }
}

export function queueFull({ options, turns, maxWaiting }: Supervision): FailedReply {
  const message = `${turns.running()} of its requests run and ${maxWaiting} may wait, which they do; repeat this one later, or raise servers.${options.id}.max_concurrent`;
  return failed("upstream_busy", message);
}

export function tooManyStreams(): FailedReply {
  return failed("upstream_busy", `${maxStreams} subscriptions are open already; end some of them`);
}

export function tooManyConnections(maxConnections: number): FailedReply {
  const message = `all of its ${maxConnections} connections are in use by other sessions; repeat this one later`;
  return failed("upstream_busy", message);
}

/** The wait for a turn ended without one. */
export function turnMissed(
  { options: { id, maxConcurrent } }: Supervision,
  waited: Unsuccessful,
  ended: FailedReply | undefined,
): FailedReply {
  const message = `its turn did not come in time; ${maxConcurrent} requests run at once (servers.${id}.max_concurrent)`;
  return endedWait(waited, ended, failed("upstream_busy", message));
}

/** The wait for a start, or for the next start, ended without one. */
export function startMissed(waited: Unsuccessful, ended: FailedReply | undefined): FailedReply {
  return endedWait(waited, ended, unavailable("it did not start within the time of this request"));
}

type Unsuccessful = Exclude<Waited<unknown>, { kind: "ready" }>;

function endedWait(
  { kind }: Unsuccessful,
  ended: FailedReply | undefined,
  expired: FailedReply,
): FailedReply {
  switch (kind) {
    case "expired":
      return expired;
    case "cancelled":
      return failed("cancelled", "cancelled by the client");
    case "closed":
      return ended ?? shuttingDown;
  }
}

function unavailable(message: string): FailedReply {
  return failed("upstream_unavailable", message);
}
