/**
 * `bundle history NAME`: which bundle is active, which were before and since when, who activated
 * each and why, and what somebody decided about them. Newest first; asks nobody.
 */
import type { BundleHistory, HistoryEntry } from "../../bundle/life/bundle-history.ts";
import type { CliIo } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printList } from "../print.ts";
import { openKeptPlace } from "./policy-place.ts";

interface Deed {
  readonly at: string;
  readonly by: string;
  readonly why: string | null;
}

/** `active`, `previous`, `waiting`, `rejected`, or `none` of a bundle that was only decided about. */
interface HistoryRow {
  readonly digest: string;
  readonly revision: string | null;
  readonly state: "active" | "previous" | "waiting" | "rejected" | "none";
  readonly held: Deed | null;
  readonly revoked: Deed | null;
  readonly activated_at: string | null;
  readonly by: string | null;
  readonly why: string | null;
  readonly vouched_by: string | null;
  readonly signers: readonly string[];
  readonly size_bytes: number | null;
  /** Why it was rejected. */
  readonly code: string | null;
  readonly message: string | null;
}

const columns = [
  { title: "STATE", cell: (row: HistoryRow) => stateOf(row) },
  { title: "REVISION", cell: (row: HistoryRow) => row.revision ?? "-" },
  { title: "DIGEST", cell: (row: HistoryRow) => row.digest.slice(0, 19) },
  { title: "ACTIVATED", cell: (row: HistoryRow) => row.activated_at ?? "-" },
  { title: "BY", cell: (row: HistoryRow) => row.by ?? "-" },
  { title: "SIGNERS", cell: (row: HistoryRow) => row.signers.join(",") || (row.vouched_by ?? "-") },
  { title: "SIZE", cell: (row: HistoryRow) => row.size_bytes?.toString() ?? "-" },
  { title: "WHY", cell: (row: HistoryRow) => whyOf(row) },
];

export interface HistoryOptions {
  readonly config?: string;
  readonly output: OutputFormat;
}

/** Prints a row for each bundle that is known of. */
export async function historyCommand(
  io: CliIo,
  name: string,
  { config, output }: HistoryOptions,
): Promise<void> {
  const { history, key } = await openKeptPlace(io, config, name);
  const rows = historyRows(history);
  printList(io, output, rows, columns);
  if (rows.length > 0 || output !== "table") return;
  io.err(`no gateway with this state folder has had a bundle of "${name}" from ${key.reference}`);
}

function historyRows(history: BundleHistory): readonly HistoryRow[] {
  const { active, previous, candidate } = history;
  const known = candidate === null ? [] : [ofCandidate(candidate)];
  if (active !== null) known.push(ofEntry("active", active));
  known.push(...previous.map((entry) => ofEntry("previous", entry)));
  const decided = [history.hold, ...history.revoked].filter((one) => one !== null);
  for (const { digest } of decided) {
    if (known.every((row) => row.digest !== digest)) known.push({ ...nothing, digest });
  }
  return known.map((row) => ({ ...row, ...decisionsOn(history, row.digest) }));
}

const nothing = {
  revision: null,
  state: "none",
  held: null,
  revoked: null,
  activated_at: null,
  by: null,
  why: null,
  vouched_by: null,
  signers: [],
  size_bytes: null,
  code: null,
  message: null,
} as const;

function ofEntry(state: HistoryRow["state"], entry: HistoryEntry): HistoryRow {
  const { digest, revision, activated_at, by, why, vouched_by, signers, size_bytes } = entry;
  const about = { activated_at, by, why, vouched_by, signers, size_bytes };
  return { ...nothing, digest, revision, state, ...about };
}

function ofCandidate(candidate: NonNullable<BundleHistory["candidate"]>): HistoryRow {
  const { digest, revision, state, code, message } = candidate;
  return { ...nothing, digest, revision: revision === "" ? null : revision, state, code, message };
}

function decisionsOn(
  { hold, revoked }: BundleHistory,
  wanted: string,
): Pick<HistoryRow, "held" | "revoked"> {
  const revocation = revoked.find(({ digest }) => digest === wanted);
  return {
    held: hold?.digest === wanted ? deedOf(hold) : null,
    revoked: revocation === undefined ? null : deedOf(revocation),
  };
}

function deedOf({ at, by, why }: Deed): Deed {
  return { at, by, why };
}

function stateOf({ state, held, revoked }: HistoryRow): string {
  const words = [...(held === null ? [] : ["held"]), ...(revoked === null ? [] : ["revoked"])];
  return (state === "none" ? words : [state, ...words]).join(",");
}

/** What was decided last about it, and by whom where that is somebody else. */
function whyOf({ why, held, revoked, code }: HistoryRow): string {
  const deed = revoked ?? held;
  if (deed === null) return why ?? code ?? "-";
  const what = revoked === null ? "held" : "revoked";
  return `${what} by ${deed.by}: ${deed.why ?? "-"}`;
}
