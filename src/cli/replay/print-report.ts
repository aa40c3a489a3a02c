/**
 * The report of a replay, for people, for programs and for build servers.
 */
import { escapeXml } from "../escape-xml.ts";
import type { ReplayBucket } from "../../replay/replay-buckets.ts";
import { replayBuckets } from "../../replay/replay-buckets.ts";
import type { ReplayGroup } from "../../replay/replay-tally.ts";
import type { ReplayReport } from "../../replay/replay-report.ts";
import type { CliIo } from "../io.ts";
import type { Column, OutputFormat } from "../print.ts";
import { printDocument, printList } from "../print.ts";
import { printable } from "../printable.ts";

/** A report with what it is about. */
export interface PrintedReplay extends ReplayReport {
  readonly candidate: { readonly revision: string; readonly digest: string };
  readonly layer: string;
  readonly since: string;
  readonly until: string | null;
  readonly server: string | null;
}

const columns: readonly Column<ReplayGroup>[] = [
  { title: "BUCKET", cell: ({ bucket }) => bucket },
  { title: "COUNT", cell: ({ count }) => String(count) },
  { title: "SERVER", cell: ({ server }) => server ?? "-" },
  { title: "TOOL", cell: ({ tool }) => tool ?? "-" },
  { title: "RULE", cell: ({ rule }) => rule ?? "-" },
  { title: "REASON", cell: ({ reason }) => reason ?? "-" },
  { title: "SAMPLE", cell: ({ sample }) => sample },
];

/** Prints it; of `jsonl` each group is a line. */
export function printReport(
  io: CliIo,
  output: OutputFormat | "junit",
  report: PrintedReplay,
  failOn: readonly ReplayBucket[],
): void {
  if (output === "junit") io.out(junitOf(report, failOn));
  else if (output === "table" || output === "jsonl") printList(io, output, report.groups, columns);
  else printDocument(io, output, report);
}

/** What happened in a sentence or two. */
export function summaryOf(report: ReplayReport): string {
  const { decisions, replayed, replayed_share: share, unchanged, not_asked: notAsked } = report;
  const counts = replayBuckets.flatMap((bucket) =>
    report.buckets[bucket] === 0 ? [] : [`${report.buckets[bucket]} ${words(bucket)}`],
  );
  const percent = Math.floor(share * 1000) / 10;
  const others = notAsked === 0 ? "" : `; ${notAsked} more are not for it to decide`;
  const list = [`${unchanged} unchanged`, ...counts].join(", ");
  return `${replayed} of ${decisions} decisions replayed (${percent} %)${others}: ${list}`;
}

function words(bucket: ReplayBucket): string {
  return bucket.replaceAll("_", " ");
}

/** A test case for each group; those of a bucket that the gate names fail. */
function junitOf({ groups, layer }: PrintedReplay, failOn: readonly ReplayBucket[]): string {
  const failures = groups.filter(({ bucket }) => failOn.includes(bucket)).length;
  const counts = `tests="${groups.length}" failures="${failures}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${escapeXml(`replay ${layer}`)}" ${counts}>`,
    ...groups.map((group) => caseOf(group, failOn)),
    "  </testsuite>",
    "</testsuites>",
  ].join("\n");
}

function caseOf(group: ReplayGroup, failOn: readonly ReplayBucket[]): string {
  const { bucket, server, tool, rule, reason, count, sample } = group;
  const name = [bucket, `${server ?? "-"}/${tool ?? "-"}`, rule ?? reason ?? "-"].join(" ");
  const head = `    <testcase classname="replay.${bucket}" name="${escapeXml(name)}"`;
  if (!failOn.includes(bucket)) return `${head}/>`;
  const message = printable(`${count} decisions, such as ${sample}`);
  const why = `${rule ?? "-"}: ${reason ?? "-"}`;
  return `${head}>\n      <failure message="${escapeXml(message)}">${escapeXml(why)}</failure>\n    </testcase>`;
}
