/**
 * How often an upstream may ask the client: each question that is taken is decided and recorded, and
 * a server must not fill the record. What is refused is counted and said once a minute.
 */
import type { Log } from "../../contract/ambient.ts";

const maxPerMinute = 64;
const minuteMs = 60_000;

/** Of one connection; its minute begins with a question. */
export class AskingRate {
  readonly #log: Log;
  #taken = 0;
  #refused = 0;
  #minute: NodeJS.Timeout | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Counts one more question; false where it is one too many. */
  take(): boolean {
    this.#begin();
    if (this.#taken >= maxPerMinute) return false;
    this.#taken += 1;
    return true;
  }

  /** Counts a question that was answered "busy". */
  refuse(): void {
    this.#begin();
    this.#refused += 1;
  }

  /** Ends the minute and says what was refused in it. */
  end(): void {
    clearTimeout(this.#minute);
    this.#minute = undefined;
    if (this.#refused > 0) this.#log.warn({ refused: this.#refused }, "upstream asked too much");
    this.#taken = 0;
    this.#refused = 0;
  }

  #begin(): void {
    this.#minute ??= setTimeout(() => this.end(), minuteMs).unref();
  }
}
