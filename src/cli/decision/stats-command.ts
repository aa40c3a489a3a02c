/**
 * `decision stats`: how decisions went over a time, as tables with bars beside them. Bars are blocks on
 * a terminal and `#` elsewhere, or where `NO_COLOR` is set.
 */
import { systemClock } from "../../config/ambient.ts";
import { parseTime } from "../../decision/parse-time.ts";
import type {
  DecisionStats,
  GroupStats,
  LayerStats,
  Percentiles,
} from "../../decision/store/decision-stats.ts";
import { decisionStats, statsGroups } from "../../decision/store/decision-stats.ts";
import type { CliIo } from "../io.ts";
import type { Column, OutputFormat } from "../print.ts";
import { printDocument, printList } from "../print.ts";
import { inMs } from "./decision-columns.ts";
import { oneOf } from "./decision-filter.ts";
import { withStore } from "./with-store.ts";

export interface StatsOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly since: string;
  readonly by?: string;
}

const barCells = 24;

/** Counts and prints. */
export async function statsCommand(io: CliIo, options: StatsOptions): Promise<void> {
  const by = oneOf("--by", statsGroups, options.by);
  const sinceMs = parseTime(options.since, systemClock.nowMs());
  const stats = await withStore(io, options.config, (store) =>
    decisionStats(store, { sinceMs, by }),
  );
  if (options.output !== "table") return printDocument(io, options.output, stats);
  printTables(io, stats, by);
}

function printTables(io: CliIo, stats: DecisionStats, by: string | undefined): void {
  const { since, all, reasons, layers, groups } = stats;
  const share = `${(all.denied_share * 100).toFixed(1)} %`;
  const rest = `${all.held} held, ${all.observed} observed`;
  io.out(`${all.decisions} decisions since ${since}: ${all.denied} denied (${share}), ${rest}`);
  if (all.decisions === 0) return;
  const bar = barOf(io);
  io.out("");
  const times = [
    { name: "policy", times: all.policy_ms },
    { name: "decide", times: all.decide_ms },
    { name: "call", times: all.call_ms },
  ];
  printList(io, "table", times, timeColumns(bar, longest(times)));
  printLayers(io, layers, bar);
  printCounts(
    io,
    "REASON",
    reasons.map(({ code, count }) => ({ name: code, count })),
    bar,
  );
  if (groups !== undefined) printGroups(io, (by ?? "").toUpperCase(), groups, bar);
}

interface Timed {
  readonly name: string;
  readonly times: Percentiles;
}

type Bar = (value: number, most: number) => string;

function timeColumns(bar: Bar, most: number): readonly Column<Timed>[] {
  return [
    { title: "LATENCY", cell: ({ name }) => name },
    { title: "P50", cell: ({ times }) => inMs(times.p50) },
    { title: "P90", cell: ({ times }) => inMs(times.p90) },
    { title: "P99", cell: ({ times }) => inMs(times.p99) },
    { title: "", cell: ({ times }) => bar(times.p99 ?? 0, most) },
  ];
}

function longest(all: readonly Timed[]): number {
  return Math.max(...all.map(({ times }) => times.p99 ?? 0));
}

function printLayers(io: CliIo, layers: readonly LayerStats[], bar: Bar): void {
  if (layers.length === 0) return;
  const timed = layers.map(({ name, failed, eval_ms: times }) => ({ name, failed, times }));
  io.out("");
  const [, ...times] = timeColumns(bar, longest(timed));
  printList(io, "table", timed, [
    { title: "LAYER", cell: ({ name }) => name },
    { title: "FAILED", cell: ({ failed }) => String(failed) },
    ...times,
  ]);
}

interface Counted {
  readonly name: string;
  readonly count: number;
}

function printCounts(io: CliIo, title: string, counts: readonly Counted[], bar: Bar): void {
  if (counts.length === 0) return;
  const most = Math.max(...counts.map(({ count }) => count));
  io.out("");
  printList(io, "table", counts, [
    { title, cell: ({ name }) => name },
    { title: "COUNT", cell: ({ count }) => String(count) },
    { title: "", cell: ({ count }) => bar(count, most) },
  ]);
}

function printGroups(io: CliIo, title: string, groups: readonly GroupStats[], bar: Bar): void {
  const shown = groups.filter(({ name }) => name !== null);
  const most = Math.max(0, ...shown.map(({ decisions }) => decisions));
  io.out("");
  printList(io, "table", shown, [
    { title, cell: ({ name }) => name || "-" },
    { title: "DECISIONS", cell: ({ decisions }) => String(decisions) },
    { title: "DENIED", cell: ({ denied }) => String(denied) },
    { title: "HELD", cell: ({ held }) => String(held) },
    { title: "DECIDE P50", cell: ({ decide_ms: times }) => inMs(times.p50) },
    { title: "P99", cell: ({ decide_ms: times }) => inMs(times.p99) },
    { title: "CALL P99", cell: ({ call_ms: times }) => inMs(times.p99) },
    { title: "", cell: ({ decisions }) => bar(decisions, most) },
  ]);
}

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

function barOf({ columns, env }: CliIo): Bar {
  const isPlain = columns === undefined || (env["NO_COLOR"] ?? "") !== "";
  return (value, most) => {
    const cells = most > 0 ? (value / most) * barCells : 0;
    if (isPlain) return "#".repeat(Math.round(cells));
    return "█".repeat(Math.floor(cells)) + (eighths[Math.floor((cells % 1) * 8)] ?? "");
  };
}
