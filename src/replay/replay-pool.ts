/**
 * The threads that replay, one for each core. A policy that does not come to an end takes its thread
 * with it: the record is noted as such, and another thread does the rest.
 */
import { Worker } from "node:worker_threads";
import type { ReplayReply, ReplayRequest, ReplayStart } from "./replay-protocol.ts";
import { replayCells } from "./replay-protocol.ts";
import type { ReplayTally } from "./replay-tally.ts";

export interface ReplayPoolOptions {
  /** Bundled file of the thread. */
  readonly url: URL;
  readonly threads: number;
  readonly start: Omit<ReplayStart, "progress">;
  /** A record that takes longer never comes to an end. */
  readonly stallMs: number;
}

interface Lane {
  readonly worker: Worker;
  readonly progress: Int32Array;
}

/** Threads that are started when they are needed; `close` ends them. */
export class ReplayPool {
  readonly #options: ReplayPoolOptions;
  readonly #idle: Lane[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #all = new Set<Worker>();
  #busy = 0;

  constructor(options: ReplayPoolOptions) {
    this.#options = options;
  }

  /** Resolves when a thread is free for another part. */
  async free(): Promise<void> {
    while (this.#busy >= this.#options.threads) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /**
   * Replays one part of the history.
   *
   * @throws whatever a thread ended with that is not an endless policy
   */
  async replay(records: ReplayRequest["records"]): Promise<ReplayTally> {
    this.#busy += 1;
    try {
      return await this.#replay({ records, endless: [] });
    } finally {
      this.#busy -= 1;
      this.#waiting.shift()?.();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  async #replay(request: ReplayRequest): Promise<ReplayTally> {
    const lane = this.#idle.pop() ?? (await this.#open());
    const reply = await ask(lane, request, this.#options.stallMs);
    if (reply !== undefined) {
      this.#idle.push(lane);
      return reply.tally;
    }
    const place = Atomics.load(lane.progress, replayCells.place);
    this.#all.delete(lane.worker);
    await lane.worker.terminate();
    return await this.#replay({ ...request, endless: [...request.endless, place] });
  }

  /** Resolves when it takes requests: how long that took is nobody's policy's doing. */
  async #open(): Promise<Lane> {
    const progress = new SharedArrayBuffer(replayCells.length * Int32Array.BYTES_PER_ELEMENT);
    const workerData: ReplayStart = { ...this.#options.start, progress };
    const worker = new Worker(this.#options.url, { workerData });
    this.#all.add(worker);
    await firstMessage(worker);
    return { worker, progress: new Int32Array(progress) };
  }
}

/**
 * `undefined` where one record took too long. Listeners are taken off one by one: a worker has some of
 * its own, without which it hears nothing any more.
 */
async function ask(
  { worker, progress }: Lane,
  request: ReplayRequest,
  stallMs: number,
): Promise<ReplayReply | undefined> {
  let watch: NodeJS.Timeout | undefined;
  const stalled = new Promise<undefined>((resolve) => {
    let finished = Atomics.load(progress, replayCells.finished);
    // A record is overdue where a whole interval went by with nothing finished.
    watch = setInterval(() => {
      const now = Atomics.load(progress, replayCells.finished);
      if (now === finished) resolve(undefined);
      finished = now;
    }, stallMs);
  });
  try {
    const answered = firstMessage(worker);
    // A thread that is ended for being overdue ends here too, when nobody listens any more.
    answered.catch(() => undefined);
    worker.postMessage(request);
    return await Promise.race([answered, stalled]);
  } finally {
    clearInterval(watch);
  }
}

/** What a thread says next; rejects where it ends instead. */
async function firstMessage(worker: Worker): Promise<ReplayReply> {
  return await new Promise((resolve, reject) => {
    const onMessage = (reply: ReplayReply): void => {
      forget();
      resolve(reply);
    };
    const onEnd = (found: unknown): void => {
      forget();
      reject(found instanceof Error ? found : new Error("a replaying thread ended"));
    };
    const forget = (): void => {
      worker.off("message", onMessage);
      worker.off("error", onEnd);
      worker.off("exit", onEnd);
    };
    worker.on("message", onMessage);
    worker.on("error", onEnd);
    worker.on("exit", onEnd);
  });
}
