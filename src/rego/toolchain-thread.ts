/**
 * One worker thread with OPA's toolchain in it, started for the first request and ended when there
 * was none for a while. Requests run one after the other; each has a deadline that begins when its
 * turn comes and the thread is ready, and one that passes it is ended with its thread, since
 * nothing else stops a program that computes. The next request gets a fresh thread. An idle thread
 * keeps no process alive.
 */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import * as z from "zod";
import { codeOf } from "../errors.ts";
import type { RegoErrorCode } from "./rego-error.ts";
import { RegoError } from "./rego-error.ts";

/** How long a thread may take to start; a second on an idle machine. */
const startTimeoutMs = 120_000;

const message = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({ id: z.number(), answer: z.string() }),
  z.object({
    code: z.enum(["rego_toolchain_missing", "rego_toolchain_corrupt", "rego_crashed"]),
    message: z.string(),
  }),
]);

interface Request {
  readonly id: number;
  readonly text: string;
  readonly timeoutMs: number;
  readonly resolve: (answer: string) => void;
  readonly reject: (error: RegoError) => void;
}

export interface ToolchainThreadOptions {
  /** Folder of the artifact, `toolchain/dist`. */
  readonly artifactFolder: string;
  readonly idleMs: number;
}

/** Owns the thread, its queue and its timers. */
export class ToolchainThread {
  readonly #options: ToolchainThreadOptions;
  readonly #waiting: Request[] = [];
  #worker: Worker | undefined;
  #ready = false;
  #current: Request | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastId = 0;
  #closed = false;

  constructor(options: ToolchainThreadOptions) {
    this.#options = options;
  }

  /** True while a thread exists. */
  get running(): boolean {
    return this.#worker !== undefined;
  }

  /** Sends one request; rejects with `RegoError` when no answer comes in time. */
  ask(text: string, timeoutMs: number): Promise<string> {
    if (this.#closed) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      this.#waiting.push({ id: this.#lastId, text, timeoutMs, resolve, reject });
      this.#next();
    });
  }

  /** Ends the thread and rejects what is open. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const request of this.#waiting.splice(0)) request.reject(closedError());
    await this.#end(closedError());
  }

  #next(): void {
    if (this.#current !== undefined) return;
    clearTimeout(this.#timer);
    const request = this.#waiting.shift();
    if (request === undefined) {
      this.#rest();
      return;
    }
    this.#current = request;
    const worker = (this.#worker ??= this.#start());
    worker.ref();
    this.#arm(this.#ready ? request.timeoutMs : startTimeoutMs);
    worker.postMessage({ id: request.id, request: request.text }, []);
  }

  #arm(timeoutMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#end(timeoutError(timeoutMs)), timeoutMs);
  }

  #rest(): void {
    this.#worker?.unref();
    this.#timer = setTimeout(() => void this.#end(closedError()), this.#options.idleMs).unref();
  }

  /**
   * The thread's own output is kept from the process, whose stdout may be a protocol. Nobody reads
   * it: a reader would keep the process alive.
   */
  #start(): Worker {
    const worker = new Worker(join(this.#options.artifactFolder, "worker.js"), {
      stdout: true,
      stderr: true,
      env: {},
      execArgv: [],
    });
    worker.on("message", (sent: unknown) => this.#receive(worker, sent));
    worker.on("error", (thrown) => this.#lost(worker, startError(thrown)));
    worker.on("exit", () => this.#lost(worker, crashError("its thread ended")));
    return worker;
  }

  #receive(worker: Worker, sent: unknown): void {
    if (worker !== this.#worker) return;
    const received = message.safeParse(sent);
    if (!received.success) {
      this.#lost(worker, crashError("it sent something unknown"));
    } else if ("code" in received.data) {
      this.#lost(worker, new RegoError(received.data.code, toolchainText(received.data.message)));
    } else if ("ready" in received.data) {
      this.#ready = true;
      if (this.#current !== undefined) this.#arm(this.#current.timeoutMs);
    } else if (received.data.id === this.#current?.id) {
      const { resolve } = this.#current;
      this.#current = undefined;
      resolve(received.data.answer);
      this.#next();
    }
  }

  #lost(worker: Worker, error: RegoError): void {
    if (worker === this.#worker) void this.#end(error);
  }

  /** Ends the thread; the request that it had fails, the next one starts another thread. */
  async #end(error: RegoError): Promise<void> {
    clearTimeout(this.#timer);
    const [worker, current] = [this.#worker, this.#current];
    this.#worker = undefined;
    this.#ready = false;
    this.#current = undefined;
    current?.reject(error);
    if (this.#waiting.length > 0) this.#next();
    await worker?.terminate();
  }
}

function toolchainText(text: string): string {
  return `rego toolchain: ${text}; install the package again, or build toolchain/dist`;
}

function crashError(reason: string): RegoError {
  return new RegoError("rego_crashed", `the rego toolchain did not answer: ${reason}`);
}

function closedError(): RegoError {
  return new RegoError("rego_closed", "the rego toolchain was closed before it answered");
}

function timeoutError(timeoutMs: number): RegoError {
  return new RegoError(
    "rego_timeout",
    `expected the rego toolchain to answer within ${timeoutMs} ms; its thread was ended`,
  );
}

function startError(thrown: Error): RegoError {
  const missing = ["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"].includes(codeOf(thrown) ?? "");
  const code: RegoErrorCode = missing ? "rego_toolchain_missing" : "rego_crashed";
  return new RegoError(code, toolchainText(thrown.message), { cause: thrown });
}
