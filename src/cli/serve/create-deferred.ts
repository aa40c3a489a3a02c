/**
 * A promise that somebody else resolves.
 */

/** The promise and how to resolve it. */
export function createDeferred(): {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
} {
  const waiting: (() => void)[] = [];
  const promise = new Promise<void>((resolve) => void waiting.push(resolve));
  return { promise, resolve: () => waiting.forEach((resolve) => resolve()) };
}
