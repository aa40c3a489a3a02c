/**
 * The lock under a running gateway: looked at once a second, and taken as a whole. One that would keep
 * a gateway from starting is not taken, and what the one before says holds on.
 */
import { stat } from "node:fs/promises";
import type { SourceLock } from "../../bundle/lock/match-lock.ts";
import type { GatewayConfig, ServerConfig } from "../../config/config.ts";
import { lockPathOf } from "../../config/lock-path.ts";
import type { Log } from "../../contract/ambient.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { LockedConfig } from "../locked-config.ts";

/** How soon a lock is seen. */
const lookMs = 1000;

/** What is otherwise than before. */
export interface LockChange {
  /** Those whose release is another, as they have to be now. */
  readonly servers: readonly ServerConfig[];
  readonly locks: ReadonlyMap<string, SourceLock>;
}

export interface FollowLockOptions {
  /** What the gateway started with. */
  readonly first: Pick<LockedConfig, "config" | "locks">;
  readonly read: () => Promise<LockedConfig>;
  /** Carries a change out; the next look waits for it. */
  readonly apply: (change: LockChange) => Promise<void>;
  readonly log: Log;
}

/** Looks until the function that it returns is called. */
export function followLock({ first, read, apply, log }: FollowLockOptions): () => void {
  const path = lockPathOf(first.config.path);
  let held = first;
  // The lock may have changed since it was read: the first look reads it again.
  let seen = first.locks.size === 0 ? none : "";
  let isLooking = false;

  async function look(): Promise<void> {
    const stamp = await stampOf(path);
    if (stamp === seen) return;
    seen = stamp;
    const locked = await read();
    const { problems } = locked;
    if (problems.length > 0) {
      return log.error({ path, problems: problems.map(({ message }) => message) }, notTaken);
    }
    const change = changeOf(held, locked);
    held = locked;
    if (change === undefined) return;
    log.info({ path, servers: change.servers.map(({ id }) => id) }, "lock taken");
    await apply(change);
  }

  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    look()
      .catch((thrown: unknown) => log.error({ path, reason: messageOf(thrown) }, notTaken))
      .finally(() => {
        isLooking = false;
      });
  }, lookMs).unref();
  return () => clearInterval(timer);
}

const none = "none";
const notTaken = "lock not taken: what it said before holds";

/** What somebody reads half is read again, since its stamp is another when it is whole. */
async function stampOf(path: string): Promise<string> {
  try {
    const { ino, mtimeMs, size } = await stat(path);
    return `${ino} ${mtimeMs} ${size}`;
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return none;
    throw thrown;
  }
}

function changeOf(
  before: FollowLockOptions["first"],
  { config, locks }: FollowLockOptions["first"],
): LockChange | undefined {
  const was = releasesOf(before.config);
  const servers = [...config.servers.values()].filter(
    (server) => !server.disabled && was.get(server.id) !== textOf(server),
  );
  const isSame = textOf(before.locks) === textOf(locks);
  return servers.length === 0 && isSame ? undefined : { servers, locks };
}

function releasesOf({ servers }: GatewayConfig): ReadonlyMap<string, string> {
  return new Map([...servers].map(([id, server]) => [id, textOf(server)]));
}

/** Of anything that is made of JSON and maps. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (part instanceof Map ? [...part] : part));
}
