/**
 * Looks again and again at the pins of servers with tools that changed, so that a tool comes back as
 * soon as somebody pinned it, without a restart. Costs nothing while every tool is as it was pinned.
 */

/** How soon a pin is seen. */
const intervalMs = 2000;

export class PinWatch {
  readonly #look: (server: string) => Promise<void>;
  #servers: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** `look` reads the pins of a server again; it never rejects. */
  constructor(look: (server: string) => Promise<void>) {
    this.#look = look;
  }

  /** From now on these servers are looked at, and no others. */
  watch(servers: ReadonlySet<string>): void {
    this.#servers = servers;
    if (servers.size > 0 && !this.#isClosed) this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
    this.#servers = new Set();
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => void this.#tick(), intervalMs).unref();
  }

  async #tick(): Promise<void> {
    await Promise.all([...this.#servers].map((server) => this.#look(server)));
    this.#timer = undefined;
    this.watch(this.#servers);
  }
}
