/**
 * Servers on their way from one release to another. While one is, nothing new is asked of it: whoever
 * comes waits for the end of the move, and then finds what there is.
 */
import { setTimeout as delay } from "node:timers/promises";

/** How long a request waits for the end of a move. */
const patienceMs = 15_000;

interface Move {
  readonly ended: Promise<void>;
  readonly end: () => void;
  /** Nothing runs any more, and what comes next is not there yet. */
  isTurning: boolean;
}

export class ServerMoves {
  readonly #moves = new Map<string, Move>();

  /** The move of a server begins: what was decided may still go out. Returns how to end it. */
  begin(server: string): () => void {
    let resolve: (() => void) | undefined;
    const ended = new Promise<void>((settle) => {
      resolve = settle;
    });
    const end = (): void => {
      if (this.#moves.get(server) === move) this.#moves.delete(server);
      resolve?.();
    };
    const move: Move = { ended, end, isTurning: false };
    this.#moves.set(server, move);
    return end;
  }

  /** From now on nothing goes out to it. */
  turn(server: string): void {
    const move = this.#moves.get(server);
    if (move !== undefined) move.isTurning = true;
  }

  /** True from the beginning of its move to the end. */
  has(server: string): boolean {
    return this.#moves.has(server);
  }

  /** True where nothing may go out to it. */
  isTurning(server: string): boolean {
    return this.#moves.get(server)?.isTurning === true;
  }

  /** Resolves at the end of its move, or when the patience with it ends. */
  async ended(server: string): Promise<void> {
    const move = this.#moves.get(server);
    if (move !== undefined) {
      await Promise.race([move.ended, delay(patienceMs, undefined, { ref: false })]);
    }
  }
}
