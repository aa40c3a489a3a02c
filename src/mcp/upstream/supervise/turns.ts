/**
 * Turns to speak with one server: so many at once, the others in the order in which they came, and
 * none beyond the length of the queue.
 */

export interface Turn {
  /** Resolves when the turn has come; `undefined` where it came at once. */
  readonly ready: Promise<void> | undefined;
  /** Ends the turn, or leaves the queue; to be called once. */
  readonly leave: () => void;
}

export interface Turns {
  /** `undefined`: the queue is full. */
  readonly enter: () => Turn | undefined;
  readonly running: () => number;
  readonly waiting: () => number;
}

export interface TurnLimits {
  readonly maxRunning: number;
  readonly maxWaiting: number;
}

/** Turns of one server; nobody waits yet. */
export function createTurns({ maxRunning, maxWaiting }: TurnLimits): Turns {
  /** In the order of their arrival, which is how a set iterates. */
  const queue = new Set<() => void>();
  let running = 0;

  function end(): void {
    running -= 1;
    for (const start of queue) {
      queue.delete(start);
      running += 1;
      start();
      return;
    }
  }

  return {
    running: () => running,
    waiting: () => queue.size,
    enter: () => {
      if (running < maxRunning) {
        running += 1;
        return { ready: undefined, leave: end };
      }
      if (queue.size >= maxWaiting) return undefined;
      const { promise, resolve } = openPromise();
      queue.add(resolve);
      const leave = (): void => {
        if (!queue.delete(resolve)) end();
      };
      return { ready: promise, leave };
    },
  };
}

function openPromise(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: (() => void) | undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: () => resolve?.() };
}
