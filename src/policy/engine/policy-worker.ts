/**
 * One worker thread seen from the gateway: takes requests in order, gives each its deadline from
 * the moment the worker can begin with it, and ends the thread when one runs past it. A request
 * behind the one that ended the thread was never begun and is handed back, to be asked elsewhere.
 */
import { Worker } from "node:worker_threads";
import { noLayer, progressCells } from "./engine-protocol.ts";
import type { WorkerReply, WorkerRequest, WorkerStart } from "./engine-protocol.ts";

export type WorkerOutcome =
  | { readonly type: "answered"; readonly reply: WorkerReply }
  /** The thread was ended during this request; `layer` is the place of the one that ran. */
  | { readonly type: "timeout" | "crashed"; readonly layer: number }
  /** The thread ended before it began with this request. */
  | { readonly type: "unasked" };

export interface PolicyWorkerOptions {
  readonly url: URL;
  readonly inputMaxBytes: number;
  readonly latencyLimitMs: number;
}

interface Pending {
  readonly deadlineMs: number;
  readonly settle: (outcome: WorkerOutcome) => void;
}

/**
 * Of what the thread holds beside the memory of policies: what builtins work on. Each of them ends
 * long before, by the size of its answer; this is for what nobody thought of. Lower is not safer: one
 * allocation that goes far past the limit, and a hundred megabytes can be one, ends the process.
 */
const maxHeapMb = 512;

/** How long a finished request may take to be noticed by a gateway that was busy elsewhere. */
const replyGraceMs = 50;

export class PolicyWorker {
  readonly #progress = new Int32Array(new SharedArrayBuffer(progressCells.length * 4));
  readonly #pending: Pending[] = [];
  readonly #options: PolicyWorkerOptions;
  #thread: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #answered = 0;
  #draining: (() => void) | undefined;

  constructor(options: PolicyWorkerOptions) {
    this.#options = options;
  }

  /** Starts the thread; resolves when it runs. */
  async open(): Promise<void> {
    Atomics.store(this.#progress, progressCells.runningLayer, noLayer);
    const workerData: WorkerStart = {
      progress: this.#progress.buffer,
      inputMaxBytes: this.#options.inputMaxBytes,
      latencyLimitMs: this.#options.latencyLimitMs,
    };
    const { url } = this.#options;
    const thread = new Worker(url, {
      workerData,
      stdout: true,
      stderr: true,
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    });
    this.#thread = thread;
    thread.stdout.resume();
    thread.stderr.resume();
    thread.on("message", (reply: WorkerReply) => this.#settleFirst({ type: "answered", reply }));
    thread.on("messageerror", () => this.#lose("crashed"));
    thread.on("error", () => this.#lose("crashed"));
    thread.on("exit", () => this.#lose("crashed"));
    await new Promise<void>((resolve) => {
      thread.once("online", resolve);
      thread.once("exit", () => resolve());
    });
  }

  /** Asks; never rejects. */
  async ask(request: WorkerRequest, deadlineMs: number): Promise<WorkerOutcome> {
    const thread = this.#thread;
    if (thread === undefined || this.#draining !== undefined) return { type: "unasked" };
    return await new Promise((settle) => {
      this.#pending.push({ deadlineMs, settle });
      if (this.#pending.length === 1) this.#watch(deadlineMs);
      thread.postMessage(request);
    });
  }

  /** Takes no more requests, answers those it has, and ends the thread. */
  async close(): Promise<void> {
    if (this.#pending.length > 0) {
      await new Promise<void>((resolve) => {
        this.#draining = resolve;
      });
    }
    await this.#end();
  }

  #settleFirst(outcome: WorkerOutcome): void {
    clearTimeout(this.#timer);
    this.#answered += 1;
    this.#pending.shift()?.settle(outcome);
    const next = this.#pending[0];
    if (next !== undefined) this.#watch(next.deadlineMs);
    else this.#draining?.();
  }

  #watch(delayMs: number): void {
    this.#timer = setTimeout(() => this.#overdue(), delayMs);
  }

  #overdue(): void {
    const finished = Atomics.load(this.#progress, progressCells.finishedRequests);
    // The answer is on its way and it was this thread that was late.
    if (finished > this.#answered) this.#watch(replyGraceMs);
    else this.#lose("timeout");
  }

  #lose(type: "timeout" | "crashed"): void {
    if (this.#thread === undefined) return;
    const layer = Atomics.load(this.#progress, progressCells.runningLayer);
    const pending = this.#pending.splice(0);
    void this.#end();
    pending.shift()?.settle({ type, layer });
    for (const { settle } of pending) settle({ type: "unasked" });
    this.#draining?.();
  }

  async #end(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    clearTimeout(this.#timer);
    await thread?.terminate();
  }
}
