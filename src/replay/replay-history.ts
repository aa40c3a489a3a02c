/**
 * Replays a history: its pages go to threads as they come, and their tallies are added up. No more
 * than a few pages are in memory.
 */
import { availableParallelism } from "node:os";
import type { Bundle } from "../contract/bundle.ts";
import { workerUrl } from "../contract/worker-url.ts";
import type { PolicyLimits } from "../config/config.ts";
import { compilePolicy } from "../policy/engine/compiled-policy.ts";
import type { WorkerLayer } from "../policy/engine/engine-protocol.ts";
import { ReplayPool } from "./replay-pool.ts";
import type { HistoryRecord, ReplayConfig } from "./replay-protocol.ts";
import { reportOf } from "./replay-report.ts";
import type { ReplayReport } from "./replay-report.ts";
import type { ReplayTally } from "./replay-tally.ts";
import { addTallies, emptyTally } from "./replay-tally.ts";

export interface ReplayRequest {
  /** Layer or server in whose place the candidate is asked. */
  readonly layer: string;
  readonly candidate: Bundle;
  readonly defaultEffect: "deny" | "allow";
  /** Bundles that decided before, as far as they are here. */
  readonly baselines: readonly Bundle[];
  readonly config: ReplayConfig;
  readonly limits: PolicyLimits;
  readonly history: AsyncIterable<readonly HistoryRecord[]>;
  /** Told after each part how many decisions were dealt with. */
  readonly onProgress?: (records: number) => void;
  /** Default one for each core. */
  readonly threads?: number;
}

const pagesPerMb = 16;
/** A machine that is busy delays a record; only what never ends takes so many deadlines. */
const stallDeadlines = 20;
const leastStallMs = 5000;
/** So that two threads end at about the same time. */
const partSize = 128;

/**
 * Replays.
 *
 * @throws EngineError where the candidate cannot be used; DatabaseError of the history
 */
export async function replayHistory(request: ReplayRequest): Promise<ReplayReport> {
  const { config, limits, history, onProgress, baselines, candidate } = request;
  const { deadlineMs, inputMaxBytes } = limits;
  const known = new Map<string, WorkerLayer>();
  for (const bundle of baselines) known.set(bundle.digest, await layerOf(request, bundle));
  const pool = new ReplayPool({
    url: workerUrl("replay-worker"),
    threads: request.threads ?? availableParallelism(),
    start: {
      config,
      candidate: await layerOf(request, candidate),
      baselines: known,
      inputMaxBytes,
      deadlineMs,
    },
    stallMs: Math.max(stallDeadlines * deadlineMs, leastStallMs),
  });
  try {
    let tally: ReplayTally = emptyTally;
    const failures: unknown[] = [];
    const parts: Promise<void>[] = [];
    for await (const page of readAhead(history)) {
      for (let at = 0; at < page.length && failures.length === 0; at += partSize) {
        const part = page.slice(at, at + partSize);
        await pool.free();
        const done = pool.replay(part).then(
          (added) => {
            tally = addTallies(tally, added);
            onProgress?.(tally.decisions + tally.notAsked);
          },
          (thrown: unknown) => void failures.push(thrown),
        );
        parts.push(done);
      }
      if (failures.length > 0) break;
    }
    await Promise.all(parts);
    if (failures.length > 0) throw failures[0];
    return reportOf(tally);
  } finally {
    await pool.close();
  }
}

/** The next page is fetched while the threads are busy with the one before. */
async function* readAhead<Page>(pages: AsyncIterable<Page>): AsyncGenerator<Page> {
  const reader = pages[Symbol.asyncIterator]();
  try {
    let next = reader.next();
    for (;;) {
      const { done, value } = await next;
      if (done === true) return;
      next = reader.next();
      // Whoever stops reading does not hear how the next page would have failed.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await reader.return?.();
  }
}

async function layerOf(
  { layer: name, defaultEffect, limits }: ReplayRequest,
  bundle: Bundle,
): Promise<WorkerLayer> {
  const { kind, policyPackage, entrypoints, dataJson, wasm, isOpaque = false } = bundle;
  const compiled = await compilePolicy(wasm, limits.memoryMaxMb * pagesPerMb);
  return { name, kind, policyPackage, entrypoints, dataJson, isOpaque, defaultEffect, compiled };
}
