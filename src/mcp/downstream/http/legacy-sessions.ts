/**
 * The sessions of legacy clients. A session belongs to exactly what its token said when it began:
 * for anybody else, and for the same client with other rights, it does not exist. Their number is
 * bounded; the one that is idle longest of whoever has most of them makes room for a new one.
 */
import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Clock, Log } from "../../../contract/ambient.ts";
import type { Principal } from "../../../contract/principal.ts";
import type { Gateway } from "../../../gateway/gateway.ts";
import type { EventStreams } from "./event-stream.ts";
import type { HttpLimits } from "./http-limits.ts";
import { LegacySession } from "./legacy-session.ts";
import { gatewayEnding, unknownSession } from "./refusal.ts";
import { createReplayBuffer } from "./replay-buffer.ts";

export interface LegacySessionsDeps {
  readonly gateway: Gateway;
  readonly log: Log;
  readonly clock: Clock;
  readonly limits: HttpLimits;
  readonly streams: EventStreams;
  readonly maxSessions: number;
  readonly sessionIdleMs: number;
}

export interface LegacySessions {
  readonly size: number;
  /** A new session; `undefined` where all are in use. */
  readonly create: (principal: Principal) => LegacySession | undefined;
  readonly find: (id: string, principal: Principal) => LegacySession | undefined;
  readonly end: (session: LegacySession) => void;
  /** Ends what is idle too long. */
  readonly sweep: () => void;
  readonly endStandalone: () => void;
  readonly close: () => void;
}

const idBytes = 32;
const tagBytes = 8;

/** Makes the register of one front. */
export function createLegacySessions(deps: LegacySessionsDeps): LegacySessions {
  const { gateway, log, clock, limits, streams, maxSessions, sessionIdleMs } = deps;
  const sessions = new Map<string, LegacySession>();
  const budget = { maxBytes: limits.replayTotalBytes, usedBytes: 0 };

  function end(session: LegacySession, why = unknownSession): void {
    if (!sessions.delete(session.id)) return;
    session.close(why);
    log.debug({}, "session ended");
  }

  function open(principal: Principal): LegacySession {
    const id = randomBytes(idBytes).toString("hex");
    const tag = randomBytes(tagBytes).toString("hex");
    const replay = createReplayBuffer(limits, budget);
    const parts = { tag, streams, replay, limits, nowMs: clock.monotonicMs };
    return new LegacySession({ id, principal, gateway, log, limits, streams: parts });
  }

  return {
    get size() {
      return sessions.size;
    },
    create: (principal) => {
      if (sessions.size >= maxSessions) {
        const victim = findVictim([...sessions.values()]);
        if (victim === undefined) return undefined;
        log.info({ sessions: sessions.size }, "idle session ended for a new one");
        end(victim);
      }
      const session = open(principal);
      sessions.set(session.id, session);
      return session;
    },
    find: (id, principal) => {
      const session = sessions.get(id);
      return session !== undefined && isSame(session.principal, principal) ? session : undefined;
    },
    end: (session) => end(session),
    sweep: () => {
      const limitMs = clock.monotonicMs() - sessionIdleMs;
      for (const session of sessions.values()) {
        if ((session.idleSinceMs ?? Infinity) <= limitMs) end(session);
        else session.sweep();
      }
    },
    endStandalone: () => {
      for (const session of sessions.values()) session.endStandalone();
    },
    close: () => {
      for (const session of sessions.values()) end(session, gatewayEnding);
    },
  };
}

/** Groups, classifications and scopes too: rights that a token lost are not kept by a session. */
function isSame(one: Principal, other: Principal): boolean {
  return one === other || isDeepStrictEqual(one, other);
}

function findVictim(sessions: readonly LegacySession[]): LegacySession | undefined {
  const counts = new Map<string, number>();
  for (const { principal } of sessions) {
    counts.set(principal.key, (counts.get(principal.key) ?? 0) + 1);
  }
  const countOf = ({ principal }: LegacySession): number => counts.get(principal.key) ?? 0;
  const idle = sessions.filter((session) => session.idleSinceMs !== undefined);
  const most = Math.max(0, ...counts.values());
  const ofBiggest = idle.filter((session) => countOf(session) === most);
  const candidates = ofBiggest.length > 0 ? ofBiggest : idle;
  return candidates.reduce<LegacySession | undefined>(
    (oldest, session) =>
      (oldest?.idleSinceMs ?? Infinity) <= (session.idleSinceMs ?? 0) ? oldest : session,
    undefined,
  );
}
