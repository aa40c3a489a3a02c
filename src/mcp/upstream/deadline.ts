/**
 * How long a request may take: its time starts anew with every sign of life and stands still while
 * the server waits for the client, but all in all it never gets more than ten times its time.
 */

const maxTimerMs = 2 ** 31 - 1;
const maxStretch = 10;

/** One running deadline; `Infinity` never ends. */
export class Deadline {
  readonly #timeoutMs: number;
  readonly #expire: () => void;
  #timer: NodeJS.Timeout | undefined;
  #last: NodeJS.Timeout | undefined;
  #holds = 0;
  #isOver = false;

  constructor(timeoutMs: number, expire: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#expire = expire;
    this.#run();
  }

  /** The server showed that it works on the request. */
  restart(): void {
    if (this.#isOver || this.#holds > 0) return;
    this.#limit();
    this.#run();
  }

  /** The server waits for the client; time stands still until as many `release` as `hold`. */
  hold(): void {
    this.#limit();
    this.#holds += 1;
    clearTimeout(this.#timer);
  }

  release(): void {
    this.#holds -= 1;
    if (this.#holds === 0 && !this.#isOver) this.#run();
  }

  clear(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#last);
  }

  #run(): void {
    clearTimeout(this.#timer);
    if (this.#timeoutMs === Infinity) return;
    this.#timer = setTimeout(this.#expire, Math.min(this.#timeoutMs, maxTimerMs));
  }

  /** From the first sign of life, which comes within the first of the ten times. */
  #limit(): void {
    if (this.#last !== undefined || this.#timeoutMs === Infinity || this.#isOver) return;
    const restMs = this.#timeoutMs * (maxStretch - 1);
    this.#last = setTimeout(this.#expire, Math.min(restMs, maxTimerMs));
  }
}
