/**
 * How a lock moves from one release of a server to another; pure. Bundle and release are in one file
 * that is replaced whole, so that nobody sees one without the other.
 */
import type { GatewayLock, LockedRelease, LockedServer, LockedSource } from "./lock-document.ts";
import { maxReleases } from "./lock-document.ts";

/** The lock with this release in place, and the one before in its history. */
export function moveRelease(
  before: GatewayLock,
  next: LockedRelease,
  bundles: Readonly<Record<string, LockedSource>>,
): GatewayLock {
  const { server } = next.release;
  const known = releasesOf(before, server);
  // One that comes back keeps the time at which it came first.
  const again = known.find(({ digest }) => digest === next.digest);
  const others = known.filter(({ digest }) => digest !== next.digest);
  const since = again?.since ?? next.since;
  const entry: LockedServer = { ...next, since, history: others.slice(0, maxReleases) };
  return {
    ...before,
    bundles: { ...before.bundles, ...bundles },
    servers: { ...before.servers, [server]: entry },
  };
}

/** The release to go back to: the newest of those that came before the current one. */
export function releaseBefore(lock: GatewayLock, server: string): LockedRelease | undefined {
  const [current, ...others] = releasesOf(lock, server);
  if (current === undefined) return undefined;
  const earlier = others.filter(({ since }) => since < current.since);
  return earlier.toSorted((a, b) => (a.since < b.since ? 1 : -1))[0];
}

/** All that the lock knows, the current one first. */
export function releasesOf({ servers }: GatewayLock, server: string): readonly LockedRelease[] {
  const entry = Object.hasOwn(servers, server) ? servers[server] : undefined;
  if (entry === undefined) return [];
  const { history, ...current } = entry;
  return [current, ...history];
}
