/**
 * The workers in use and one in reserve, all with the same set of layers. A request goes to the
 * worker with the fewest before it; one that a dying worker had not begun goes to its successor, so
 * a runaway policy costs nobody but its own call. Sets are replaced as a whole, and a worker of the
 * old set first answers what it was asked.
 */
import type { AskRequest } from "./engine-protocol.ts";
import { openLane } from "./open-lane.ts";
import type { Lane, LaneFailures, LaneLayer, LaneOptions } from "./open-lane.ts";
import type { WorkerOutcome } from "./policy-worker.ts";

export interface WorkerPoolOptions extends LaneOptions {
  readonly workers: number;
  /** Keep a loaded worker in reserve. */
  readonly spare: boolean;
  readonly deadlineMs: number;
}

export interface PoolAnswer {
  readonly outcome: Exclude<WorkerOutcome, { readonly type: "unasked" }>;
  /** The lane that was asked; it tells which set of layers the places belong to. */
  readonly lane: Lane;
}

export type LayerSet = Pick<Lane, "layers" | "failures">;

interface Position {
  lane: Promise<Lane>;
  inFlight: number;
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  #positions: readonly Position[] = [];
  #spare: Promise<Lane> | undefined;
  #set: LayerSet = { layers: [], failures: new Map() };
  #closed = false;
  #restarts = 0;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Loads a set into a worker that nobody uses yet. */
  async prepare(layers: readonly LaneLayer[], known: LaneFailures): Promise<Lane> {
    return await openLane(this.#options, layers, known);
  }

  /** Puts a prepared worker, and as many more as are wanted, in the place of those in use. */
  async use(first: Lane): Promise<void> {
    const { layers, failures } = first;
    const others = Array.from({ length: this.#options.workers - 1 }, async () =>
      openLane(this.#options, layers, failures),
    );
    const lanes = [first, ...(await Promise.all(others))];
    const retired = [...this.#positions.map(({ lane }) => lane), this.#spare];
    this.#set = first;
    this.#positions = lanes.map((lane) => ({ lane: Promise.resolve(lane), inFlight: 0 }));
    this.#spare = undefined;
    for (const lane of retired) void closeLane(lane);
    if (this.#closed) await this.close();
    else this.#prepareSpare();
  }

  /** The layers in use, and those of them that are not loaded. */
  get set(): LayerSet {
    return this.#set;
  }

  /** Workers that were replaced because they ended. */
  get restarts(): number {
    return this.#restarts;
  }

  /**
   * Asks one worker, and the next where that one ended before it began.
   *
   * @throws EngineError `policy_worker_lost` where no worker can be started.
   */
  async run(request: AskRequest): Promise<PoolAnswer> {
    for (;;) {
      const position = this.#choose();
      position.inFlight += 1;
      const asked = position.lane;
      try {
        const lane = await asked;
        const outcome = await lane.worker.ask(request, this.#options.deadlineMs);
        if (outcome.type !== "answered") this.#replace(position, asked);
        if (outcome.type !== "unasked") return { outcome, lane };
      } catch (thrown) {
        this.#replace(position, asked);
        throw thrown;
      } finally {
        position.inFlight -= 1;
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const lanes = [...this.#positions.map(({ lane }) => lane), this.#spare];
    this.#positions = [];
    this.#spare = undefined;
    await Promise.all(lanes.map(closeLane));
  }

  #choose(): Position {
    let chosen: Position | undefined;
    for (const position of this.#positions) {
      if (chosen === undefined || position.inFlight < chosen.inFlight) chosen = position;
    }
    if (chosen !== undefined) return chosen;
    throw new Error("expected an active set of layers, found none; activate one first");
  }

  /** Puts the reserve in the place of a lane that is gone, unless somebody did so already. */
  #replace(position: Position, gone: Promise<Lane>): void {
    if (this.#closed || position.lane !== gone || !this.#positions.includes(position)) return;
    this.#restarts += 1;
    position.lane = this.#spare ?? this.#open();
    this.#spare = undefined;
    position.lane.then(
      () => this.#prepareSpare(),
      () => undefined,
    );
  }

  #prepareSpare(): void {
    if (this.#closed || !this.#options.spare || this.#spare !== undefined) return;
    this.#spare = this.#open();
    this.#spare.catch(() => undefined);
  }

  async #open(): Promise<Lane> {
    return await openLane(this.#options, this.#set.layers, this.#set.failures);
  }
}

async function closeLane(lane: Promise<Lane> | undefined): Promise<void> {
  try {
    await (await lane)?.worker.close();
  } catch {
    // A lane that never opened has nothing to close; whoever asked it was told.
  }
}
