/**
 * Failed logins at the admin interface, on record. Whoever fails decides how often, so the first is
 * recorded at once and those of the next minute together, and nobody fills the disk that way. What they
 * sent is in no record.
 */
import type { Clock, Log, NewId } from "../contract/ambient.ts";
import type { AdminRecord } from "../contract/record.ts";
import { messageOf } from "../errors.ts";

export interface FailedLoginsOptions {
  readonly note: (record: AdminRecord) => Promise<void>;
  readonly tenant: string;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  /** Between two records; default a minute. */
  readonly everyMs?: number;
}

export class FailedLogins {
  readonly #options: FailedLoginsOptions;
  #timer: NodeJS.Timeout | undefined;
  /** Since the last record. */
  #count = 0;

  constructor(options: FailedLoginsOptions) {
    this.#options = options;
  }

  /** Somebody came without a token, or with one that nobody handed out. */
  add(): void {
    this.#count += 1;
    if (this.#timer === undefined) this.#record();
  }

  /** Records what was not yet. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#count > 0) this.#write();
  }

  #record(): void {
    this.#write();
    const next = (): void => {
      this.#timer = undefined;
      if (this.#count > 0) this.#record();
    };
    this.#timer = setTimeout(next, this.#options.everyMs ?? 60_000).unref();
  }

  #write(): void {
    const { note, tenant, clock, newId, log } = this.#options;
    const count = this.#count;
    this.#count = 0;
    const record: AdminRecord = {
      kind: "admin",
      decisionId: newId(),
      timeMs: clock.nowMs(),
      tenant,
      by: "nobody",
      action: "login_failed",
      subject: "admin interface",
      reason: null,
      details: { count },
    };
    note(record).catch((thrown: unknown) => {
      log.error({ reason: messageOf(thrown) }, "failed admin login not recorded");
    });
  }
}
