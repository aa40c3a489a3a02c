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

/** A bar for so many steps; mute where stderr is no terminal. */
export function openProgressBar({ draw }: CliIo, total: number): ProgressBar {
  if (draw === undefined || total === 0) return mute;
  let shown = "";
  return {
    show: (done) => {
      const share = Math.min(1, done / total);
      const filled = Math.round(share * width);
      const bar = `${"█".repeat(filled)}${"░".repeat(width - filled)}`;
      const text = `${bar} ${Math.floor(share * 100)} % of ${total}`;
      if (text !== shown) draw(`\r${text}`);
      shown = text;
    },
    clear: () => draw(`\r\u001b[2K`),
  };
}
