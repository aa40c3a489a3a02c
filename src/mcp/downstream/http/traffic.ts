/**
 * How much is in flight, over all and for each principal, so that one of them cannot take the whole
 * gateway and a gateway that ends knows when it is done.
 */

export interface Traffic {
  readonly inFlight: number;
  /** Counts something in; call what it returns when it is over. `undefined`: too much already. */
  readonly enter: (principalKey: string) => (() => void) | undefined;
  /** Resolves as soon as nothing is in flight. */
  readonly settled: () => Promise<void>;
}

/** Makes the count of one front. */
export function createTraffic(maxPerPrincipal: number): Traffic {
  const counts = new Map<string, number>();
  const waiting: (() => void)[] = [];
  let total = 0;

  function leave(principalKey: string): void {
    const left = (counts.get(principalKey) ?? 1) - 1;
    if (left === 0) counts.delete(principalKey);
    else counts.set(principalKey, left);
    total -= 1;
    if (total > 0) return;
    for (const resolve of waiting.splice(0)) resolve();
  }

  return {
    get inFlight() {
      return total;
    },
    enter: (principalKey) => {
      const count = counts.get(principalKey) ?? 0;
      if (count >= maxPerPrincipal) return undefined;
      counts.set(principalKey, count + 1);
      total += 1;
      let isOver = false;
      return () => {
        if (!isOver) leave(principalKey);
        isOver = true;
      };
    },
    settled: async () => {
      if (total > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}
