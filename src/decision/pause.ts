/**
 * A wait that somebody else may end early.
 */
/** One wait at a time. */
export class Pause {
  #end: (() => void) | undefined;

  /** Resolves after `delayMs`, or as soon as it is cut. */
  async wait(delayMs: number): Promise<void> {
    if (delayMs <= 0) return;
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
}
