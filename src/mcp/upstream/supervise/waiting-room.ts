/**
 * Where requests wait before anything of them is sent: for a start, for a turn, for the end of a
 * backoff window. Each wait ends exactly once: with what was waited for, at its deadline, when its
 * client takes it back, or when the room closes. No timer and no listener outlives its wait.
 */

export type Waited<Value> =
  | { readonly kind: "ready"; readonly value: Value }
  | { readonly kind: "expired" | "cancelled" | "closed" };

export interface WaitLimits {
  /** `Infinity`: as long as it takes. */
  readonly forMs: number;
  readonly signal: AbortSignal | undefined;
}

export interface WaitingRoom {
  readonly size: () => number;
  /** Waits for a promise that does not reject. */
  readonly waitFor: <Value>(promise: Promise<Value>, limits: WaitLimits) => Promise<Waited<Value>>;
  /** Ends every wait, and later ones at once. */
  readonly close: () => void;
}

/** What a timer can hold; longer waits are as good as endless. */
const maxTimerMs = 2 ** 31 - 1;

/** An empty room. */
export function createWaitingRoom(): WaitingRoom {
  const waits = new Set<() => void>();
  let isClosed = false;

  async function waitFor<Value>(
    promise: Promise<Value>,
    { forMs, signal }: WaitLimits,
  ): Promise<Waited<Value>> {
    if (isClosed) return { kind: "closed" };
    if (signal?.aborted === true) return { kind: "cancelled" };
    return await new Promise((resolve) => {
      const end = (waited: Waited<Value>): void => {
        waits.delete(close);
        clearTimeout(timer);
        signal?.removeEventListener("abort", cancel);
        resolve(waited);
      };
      const close = (): void => end({ kind: "closed" });
      const cancel = (): void => end({ kind: "cancelled" });
      const timer =
        forMs > maxTimerMs
          ? undefined
          : setTimeout(() => end({ kind: "expired" }), Math.ceil(forMs));
      waits.add(close);
      signal?.addEventListener("abort", cancel, { once: true });
      void promise.then((value) => end({ kind: "ready", value }));
    });
  }

  return {
    size: () => waits.size,
    waitFor,
    close: () => {
      isClosed = true;
      for (const close of waits) close();
    },
  };
}
