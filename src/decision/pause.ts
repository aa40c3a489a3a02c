/**
 * A wait that somebody else may end early.
 */
/** One wait at a time. */
export class Pause {
  #end: (() => void) | undefined;
  #isEnded = false;

  /** Resolves after `delayMs`, or as soon as it is cut; at once where waits are ended. */
  async wait(delayMs: number): Promise<void> {
    if (delayMs <= 0 || this.#isEnded) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      timer.unref();
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#end = undefined;
  }

  /** Ends a wait that is under way. */
  cut(): void {
    this.#end?.();
  }

  /**
   * Ends a wait that is under way, and all that follow: what closes must not wait on a timer that
   * holds no process.
   */
  endAll(): void {
    this.#isEnded = true;
    this.cut();
  }
}
