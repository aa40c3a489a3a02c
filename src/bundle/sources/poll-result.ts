/**
 * Turns what asking a source gave into the value that a poll answers.
 */
import { BundleError } from "../bundle-error.ts";
import type { Polled, Version } from "./bundle-source.ts";

/**
 * Asks for the current version and compares it with the known one.
 *
 * @param ask - throws BundleError where there is no answer; anything else is a fault of ours
 */
export async function pollResult(
  known: Version | undefined,
  ask: () => Promise<{ readonly version: Version; readonly waited?: boolean }>,
): Promise<Polled> {
  try {
    const { version, waited = false } = await ask();
    if (version.id === known?.id) return { kind: "unchanged", waited };
    return { kind: "changed", version, waited };
  } catch (thrown) {
    if (!(thrown instanceof BundleError)) throw thrown;
    return { kind: "failed", error: thrown, retryAfterMs: thrown.retryAfterMs };
  }
}
