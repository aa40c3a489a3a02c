/**
 * Turns to speak with one server: so many at once, and none beyond the length of the queue. Among
 * those who wait the one comes first whose sharing key has the fewest turns, then the one who waited
 * longest; where several keys are about, none takes more than three quarters of turns or queue, so
 * that nobody is shut out by somebody else's slow calls.
 */

export interface Turn {
  /** Resolves when the turn has come; `undefined` where it came at once. */
  readonly ready: Promise<void> | undefined;
  /** Ends the turn, or leaves the queue; to be called once. */
  readonly leave: () => void;
}

export interface Turns {
  /** `undefined`: the queue is full. `isAlone`: no other key is about. */
  readonly enter: (key: string, isAlone: boolean) => Turn | undefined;
  readonly running: () => number;
  readonly waiting: () => number;
}

export interface TurnLimits {
  readonly maxRunning: number;
  readonly maxWaiting: number;
}

interface Waiting {
  readonly key: string;
  readonly isAlone: boolean;
  readonly start: () => void;
}

const shareOfAll = 0.75;

/** Turns of one server; nobody waits yet. */
export function createTurns({ maxRunning, maxWaiting }: TurnLimits): Turns {
  /** In the order of their arrival, which is how a set iterates. */
  const queue = new Set<Waiting>();
  const running = new Map<string, number>();
  let total = 0;

  function mayRun(key: string, isAlone: boolean): boolean {
    return total < maxRunning && (running.get(key) ?? 0) < shareOf(maxRunning, isAlone);
  }

  function begin(key: string): void {
    total += 1;
    running.set(key, (running.get(key) ?? 0) + 1);
  }

  function end(key: string): void {
    total -= 1;
    const left = (running.get(key) ?? 1) - 1;
    if (left === 0) running.delete(key);
    else running.set(key, left);
    startNext();
  }

  function startNext(): void {
    let next: Waiting | undefined;
    for (const waiting of queue) {
      if (!mayRun(waiting.key, waiting.isAlone)) continue;
      const has = running.get(waiting.key) ?? 0;
      if (next === undefined || has < (running.get(next.key) ?? 0)) next = waiting;
    }
    if (next === undefined) return;
    queue.delete(next);
    begin(next.key);
    next.start();
  }

  return {
    running: () => total,
    waiting: () => queue.size,
    enter: (key, isAlone) => {
      if (mayRun(key, isAlone)) {
        begin(key);
        return { ready: undefined, leave: () => end(key) };
      }
      const own = [...queue].filter((waiting) => waiting.key === key).length;
      if (queue.size >= maxWaiting || own >= shareOf(maxWaiting, isAlone)) return undefined;
      const { promise, resolve } = openPromise();
      const waiting: Waiting = { key, isAlone, start: resolve };
      queue.add(waiting);
      const leave = (): void => {
        if (!queue.delete(waiting)) end(key);
      };
      return { ready: promise, leave };
    },
  };
}

function shareOf(all: number, isAlone: boolean): number {
  return isAlone ? all : Math.max(1, Math.floor(all * shareOfAll));
}

function openPromise(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: (() => void) | undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: () => resolve?.() };
}
