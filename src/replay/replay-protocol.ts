/**
 * What the thread that reads a history and those that replay it say to each other.
 */
import type { GatewayConfig } from "../config/config.ts";
import type { WorkerLayer } from "../policy/engine/engine-protocol.ts";
import type { ReplayTally } from "./replay-tally.ts";

/** Of a server, as far as a decision looks at it. */
export type ReplayedServer = Pick<
  NonNullable<ReturnType<GatewayConfig["servers"]["get"]>>,
  "ceiling" | "tools"
>;

/** Of the configuration, what combining looks at. */
export interface ReplayConfig extends Pick<
  GatewayConfig,
  "agents" | "environment" | "layers" | "maxWaivers" | "notify"
> {
  readonly servers: ReadonlyMap<string, ReplayedServer>;
}

/** What a thread is started with. */
export interface ReplayStart {
  readonly progress: SharedArrayBuffer;
  readonly config: ReplayConfig;
  readonly candidate: WorkerLayer;
  /** Bundles that decided before, by digest; they vouch for masked inputs. */
  readonly baselines: ReadonlyMap<string, WorkerLayer>;
  readonly inputMaxBytes: number;
  readonly deadlineMs: number;
}

/** One admission of the history. */
export interface HistoryRecord {
  readonly id: string;
  readonly server: string | null;
  readonly tool: string | null;
  /** Exact text; `null` where the payload was pruned. */
  readonly record: string | null;
}

export interface ReplayRequest {
  readonly records: readonly HistoryRecord[];
  /** Places of records under which a thread had to be ended. */
  readonly endless: readonly number[];
}

export interface ReplayReply {
  readonly tally: ReplayTally;
}

/** Cells of the memory that a thread shares. */
export const replayCells = { place: 0, finished: 1, length: 2 } as const;
