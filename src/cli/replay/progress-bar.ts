/**
 * How far a replay is, on stderr where a person looks on, and nowhere else.
 */
import type { CliIo } from "../io.ts";

export interface ProgressBar {
  /** So many of them are done. */
  readonly show: (done: number) => void;
  /** Takes it off the terminal. */
  readonly clear: () => void;
}

const width = 30;
const mute: ProgressBar = { show: () => {}, clear: () => {} };

/** A bar for so many steps, which nobody counts where stderr is no terminal: there it is mute. */
export async function openProgressBar(
  { draw }: Pick<CliIo, "draw">,
  count: () => Promise<number>,
): Promise<ProgressBar> {
  if (draw === undefined) return mute;
  const total = await count();
  if (total === 0) return mute;
  let shown = "";
  return {
    show: (done) => {
      const text = barText(done, total);
      if (text !== shown) draw(`\r${text}`);
      shown = text;
    },
    clear: () => draw("\r\u001b[2K"),
  };
}

/** `███░░░ 50 % of 8` */
export function barText(done: number, total: number): string {
  const share = Math.min(1, done / total);
  const filled = Math.round(share * width);
  const bar = `${"█".repeat(filled)}${"░".repeat(width - filled)}`;
  return `${bar} ${Math.floor(share * 100)} % of ${total}`;
}
