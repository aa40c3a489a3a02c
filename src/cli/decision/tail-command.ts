/**
 * `decision tail`: the newest decisions, the newest last, and with `-f` those that come. Each look
 * opens the store anew, so that an embedded one is free for others in between. A decision that reaches
 * the store more than a minute after it was made, because the store was away, is in `decision list` and
 * not here.
 */
import { systemClock } from "../../config/ambient.ts";
import type { DecisionSummary } from "../../decision/store/query-decisions.ts";
import { listDecisions } from "../../decision/store/query-decisions.ts";
import { watchDecisions } from "../../decision/store/watch-decisions.ts";
import { codeOf } from "../../errors.ts";
import { loadConfigFor } from "../common-options.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printDocument, printList } from "../print.ts";
import { printable } from "../printable.ts";
import { decisionColumns } from "./decision-columns.ts";
import type { FilterOptions } from "./decision-filter.ts";
import { filterOf } from "./decision-filter.ts";
import { withStore } from "./with-store.ts";

export interface TailOptions extends FilterOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly follow?: boolean;
  readonly lines: string;
}

const overlapMs = 60_000;
const mostAtOnce = 10_000;

/** Prints what is there, and what comes. */
export async function tailCommand(io: CliIo, options: TailOptions): Promise<void> {
  const filter = filterOf(options);
  const lines = linesOf(options.lines);
  const sinceMs = systemClock.nowMs() - overlapMs;
  const { first, known } = await withStore(io, options.config, async (store) => ({
    first: await listDecisions(store, { ...filter, limit: Math.max(1, lines) }),
    known: await listDecisions(store, { ...filter, sinceMs, limit: mostAtOnce }),
  }));
  const shown = first.slice(0, lines).toReversed();
  const print = printerOf(io, options.output, shown);
  for (const one of shown) print(one);
  if (options.follow !== true) return;
  const signal = io.untilInterrupted?.() ?? new AbortController().signal;
  const look = (from: number): Promise<readonly DecisionSummary[]> =>
    withStore(io, options.config, (store) =>
      listDecisions(store, { ...filter, sinceMs: from, limit: mostAtOnce }),
    );
  await follow(io, options.config, { look, print, signal, sinceMs, known });
}

interface Following {
  readonly look: (sinceMs: number) => Promise<readonly DecisionSummary[]>;
  readonly print: (one: DecisionSummary) => void;
  readonly signal: AbortSignal;
  /** Since when everything is known that is not to be printed again. */
  readonly sinceMs: number;
  readonly known: readonly DecisionSummary[];
}

async function follow(
  io: CliIo,
  config: string | undefined,
  { look, print, signal, sinceMs, known }: Following,
): Promise<void> {
  const { store } = loadConfigFor(io, config).config.decisions;
  let seen = new Set(known.map(({ decision_id: id }) => id));
  let fromMs = sinceMs;
  let isAway = false;
  for await (const _ of watchDecisions(store, { signal })) {
    try {
      const lookedMs = systemClock.nowMs();
      const found = await look(fromMs);
      if (signal.aborted) return;
      for (const one of found.toReversed()) if (!seen.has(one.decision_id)) print(one);
      seen = new Set(found.map(({ decision_id: id }) => id));
      fromMs = lookedMs - overlapMs;
      isAway = false;
    } catch (thrown) {
      const code = codeOf(thrown);
      if (code !== "database_locked" && code !== "database_unreachable") throw thrown;
      if (!isAway) io.err(`the store cannot be read now [${code}]; going on when it can`);
      isAway = true;
    }
  }
}

/** On a stream widths are not known beforehand: those of what is there, and never less than the title. */
function printerOf(
  io: CliIo,
  format: OutputFormat,
  first: readonly DecisionSummary[],
): (one: DecisionSummary) => void {
  if (format === "jsonl" || format === "json") {
    return (one) => printList(io, "jsonl", [one], decisionColumns);
  }
  if (format === "yaml") {
    return (one) => {
      printDocument(io, format, one);
      io.out("---");
    };
  }
  const widths = decisionColumns.map(({ title, cell }) =>
    Math.max(title.length, ...first.map((one) => printable(cell(one)).length)),
  );
  const row = (cells: readonly string[]): string =>
    cells
      .map((text, place) => text.padEnd(widths[place] ?? 0))
      .join("  ")
      .trimEnd();
  io.out(row(decisionColumns.map(({ title }) => title)));
  return (one) => io.out(row(decisionColumns.map(({ cell }) => printable(cell(one)))));
}

function linesOf(given: string): number {
  const lines = /^\d{1,5}$/.test(given) ? Number(given) : Number.NaN;
  if (lines <= mostAtOnce) return lines;
  const expected = `expected --lines to be a number from 0 to ${mostAtOnce}`;
  throw new CliError(exitCodes.usage, `${expected}, found "${given}"`);
}
