/**
 * The keeper of all connections to one configured server: one for each sharing key, started lazily,
 * restarted with backoff, cut off by a circuit breaker, stopped when idle. Requests take turns. How
 * to connect is handed in; other servers have keepers of their own and share nothing with this one.
 */
import type { JsonObject } from "../../../contract/json.ts";
import type { UpstreamListener, UpstreamReply, UpstreamRequest } from "../upstream-connection.ts";
import { attendRequest } from "./attend-request.ts";
import { ConnectionLife } from "./connection-life.ts";
import { sessionEnded, shuttingDown, tooManyConnections } from "./refusals.ts";
import type { Supervision } from "./supervision.ts";
import { blockOf, newSupervision, stateOf } from "./supervision.ts";
import type { SupervisorOptions, SupervisorState, SupervisorStatus } from "./supervisor-options.ts";

const defaultMaxConnections = 32;
/** Keys are looked through for those to forget at this number, and whenever it has doubled. */
const firstSweepSize = 64;

/** The supervised connections of one server; `close` ends them all. */
export class SupervisedServer {
  readonly #options: SupervisorOptions;
  readonly #supervision: Supervision;
  readonly #lives = new Map<string, ConnectionLife>();
  #sweepSize = firstSweepSize;
  #isClosed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#supervision = newSupervision(options);
  }

  /**
   * Sends a request on the connection of `key`, which is started where there is none, with these
   * capabilities of the client. Waiting counts against `wanted.timeoutMs`; what was not sent fails
   * with `upstream_busy`, `upstream_unavailable`, `upstream_unauthorized` or `cancelled`. Resolves
   * exactly once and never rejects.
   */
  request(key: string, capabilities: JsonObject, wanted: UpstreamRequest): Promise<UpstreamReply> {
    if (this.#isClosed) return Promise.resolve(shuttingDown);
    return attendRequest({
      supervision: this.#supervision,
      life: this.#lifeOf(key),
      capabilities,
      wanted,
      deadlineMs: this.#options.clock.monotonicMs() + wanted.timeoutMs,
      refuseStart: () => this.#makeRoom(),
      isAlone: () => this.#lives.size <= 1,
    });
  }

  /** Opens the connection of `key` where there is none; resolves when it is, or cannot be. */
  async connect(
    key: string,
    capabilities: JsonObject,
    limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    if (this.#isClosed) return;
    await attendRequest({
      supervision: this.#supervision,
      life: this.#lifeOf(key),
      capabilities,
      wanted: { method: "", params: {}, ...limits },
      deadlineMs: this.#options.clock.monotonicMs() + limits.timeoutMs,
      refuseStart: () => this.#makeRoom(),
      isAlone: () => this.#lives.size <= 1,
      isOnlyStart: true,
    });
  }

  /** Sends a notification where a connection is open. */
  notify(key: string, method: string, params?: JsonObject): void {
    this.#lives.get(key)?.live?.connection.notify(method, params);
  }

  /** Listens to a key, whose connection is not stopped for being idle; returns how to stop. */
  hold(key: string, listener: UpstreamListener): () => void {
    if (this.#isClosed) return () => {};
    return this.#lifeOf(key).holders.add(listener);
  }

  /** The session of this key has ended: closes its connection, and forgets who held it. */
  end(key: string): void {
    this.#lives.get(key)?.end(sessionEnded);
    this.#lives.delete(key);
  }

  /** True while a request is on its way, or waits to be sent; streams have no end and do not count. */
  get isBusy(): boolean {
    const isWaiting = [...this.#lives.values()].some((life) => life.room.size() > 0);
    return isWaiting || this.#supervision.turns.running() > 0;
  }

  status(): SupervisorStatus {
    const { turns, streams, restarts, lastError } = this.#supervision;
    const lives = [...this.#lives.values()];
    return {
      state: this.#stateOf(lives),
      keys: lives.length,
      connections: lives.filter((life) => life.isConnected).length,
      inFlight: turns.running() + streams.running(),
      queued: lives.reduce((sum, life) => sum + life.room.size(), 0),
      restarts,
      lastError,
      upSinceMs: this.#upSinceMs(lives),
    };
  }

  /** Ends everything; resolves when all connections have closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const life of this.#lives.values()) life.end(shuttingDown);
    this.#lives.clear();
    const { closings } = this.#supervision;
    while (closings.size > 0) await Promise.all(closings.values());
  }

  #lifeOf(key: string): ConnectionLife {
    const known = this.#lives.get(key);
    if (known !== undefined) return known;
    if (this.#lives.size >= this.#sweepSize) this.#sweep();
    const life = new ConnectionLife(key, this.#supervision);
    this.#lives.set(key, life);
    return life;
  }

  #sweep(): void {
    for (const [key, life] of this.#lives) if (life.isForgettable) this.#lives.delete(key);
    this.#sweepSize = Math.max(firstSweepSize, 2 * this.#lives.size);
  }

  /**
   * Closes a connection where one more would be too many: of those that nobody uses the one that is
   * held by nobody, then the one that was used longest ago. Somebody who listens without a word keeps
   * nobody out who has something to say.
   */
  #makeRoom(): UpstreamReply | undefined {
    const { maxConnections = defaultMaxConnections } = this.#options;
    const connected = [...this.#lives.values()].filter((life) => life.isConnected);
    if (connected.length < maxConnections) return undefined;
    const unused = connected.filter((life) => life.isUnused);
    const [longest] = unused.toSorted(
      (a, b) => Number(b.isIdle) - Number(a.isIdle) || a.unusedSinceMs - b.unusedSinceMs,
    );
    longest?.stop();
    return longest === undefined ? tooManyConnections(maxConnections) : undefined;
  }

  #stateOf(lives: readonly ConnectionLife[]): SupervisorState {
    if (this.#isClosed) return "idle";
    const states = new Set(lives.map((life) => life.state));
    const best = fromBest.find((state) => states.has(state));
    return best ?? stateOf(blockOf(this.#supervision.starts, this.#options.clock.monotonicMs()));
  }

  /** As wall time, from the monotonic clock: the wall's may have been set meanwhile. */
  #upSinceMs(lives: readonly ConnectionLife[]): number | undefined {
    const { clock } = this.#options;
    const started = lives.flatMap(({ live }) => (live === undefined ? [] : [live.startedMs]));
    if (started.length === 0) return undefined;
    return Math.round(clock.nowMs() - (clock.monotonicMs() - Math.min(...started)));
  }
}

const fromBest: readonly SupervisorState[] = ["up", "starting", "backing_off", "open_circuit"];
