/**
 * What a listening client is to hear as soon as it was told what it will hear of. Of notices of one
 * thing only the newest waits, since each says how that thing stands, and their number is bounded: a
 * server that never stops talking costs the same as any other.
 */
import type { ClientNotice } from "../../gateway/gateway.ts";

export interface WaitingNotices {
  readonly add: (notice: ClientNotice) => void;
  /** All of them in order; afterwards there are none. */
  readonly take: () => readonly ClientNotice[];
}

/** Makes an empty queue; the oldest notice makes room for the one beyond `maxNotices`. */
export function createWaitingNotices(maxNotices: number): WaitingNotices {
  const waiting = new Map<string, ClientNotice>();
  return {
    add: (notice) => {
      const key = keyOf(notice);
      waiting.delete(key);
      waiting.set(key, notice);
      const [oldest] = waiting.keys();
      if (waiting.size > maxNotices && oldest !== undefined) waiting.delete(oldest);
    },
    take: () => {
      const notices = [...waiting.values()];
      waiting.clear();
      return notices;
    },
  };
}

function keyOf({ method, params }: ClientNotice): string {
  return JSON.stringify([method, params["uri"], params["taskId"]]);
}
