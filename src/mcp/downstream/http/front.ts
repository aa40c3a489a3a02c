/**
 * What the parts of one HTTP front share.
 */
import type { HttpConfig } from "../../../config/config.ts";
import type { Clock, Log } from "../../../contract/ambient.ts";
import type { Principal } from "../../../contract/principal.ts";
import type { Gateway } from "../../../gateway/gateway.ts";
import type { PolicyStanding } from "../../../gateway/policies/policy-standing.ts";
import type { Authentication } from "../authorization/authentication.ts";
import type { ResponseHeaders } from "./answer-json.ts";
import type { EventStreams } from "./event-stream.ts";
import type { HttpLimits } from "./http-limits.ts";
import type { LegacySessions } from "./legacy-sessions.ts";
import type { JudgeOrigin } from "./origin-policy.ts";
import type { RequestHeaders } from "./read-headers.ts";
import type { Refusal } from "./refusal.ts";
import type { Traffic } from "./traffic.ts";

/** What `/readyz` says; a front that drains says so itself. */
export type Readiness = "starting" | PolicyStanding;

export interface Front {
  readonly gateway: Gateway;
  readonly log: Log;
  readonly clock: Clock;
  readonly http: HttpConfig;
  readonly limits: HttpLimits;
  readonly authenticate: (request: {
    readonly authorization: string | undefined;
  }) => Promise<Authentication>;
  /** RFC 9728; `undefined`: there is none. */
  readonly protectedResourceMetadata: object | undefined;
  readonly readiness: () => Readiness;
  readonly isDraining: () => boolean;
  /** Path of the MCP endpoint. */
  readonly path: string;
  readonly judgeOrigin: JudgeOrigin;
  readonly tellRefusal: (refusal: Refusal) => void;
  readonly sessions: LegacySessions;
  readonly streams: EventStreams;
  readonly traffic: Traffic;
  /** Modern exchanges in flight. */
  readonly exchanges: Set<OpenExchange>;
}

/** One modern request that is being served. */
export interface OpenExchange {
  /** True for one that stays open for as long as its client listens. */
  readonly isListen: boolean;
  readonly close: () => void;
}

/** What is known of a request once it was let in. */
export interface Caller {
  readonly principal: Principal;
  /** From when on its token is refused, in milliseconds since the epoch; `undefined`: never. */
  readonly expiresAtMs: number | undefined;
  readonly headers: RequestHeaders;
  /** Headers that every answer to it has. */
  readonly shared: ResponseHeaders;
}
