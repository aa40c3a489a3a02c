/**
 * `bundle list`: every source of policy of the configuration and how it is doing, in OPA's words for
 * the status of a bundle: what is active, since when, who vouches for it, what its source has beside
 * it, and when that was last asked, with what it said. Asks nobody: it is what gateways have kept in
 * the state folder, and where none has run yet, what is here of the bundle.
 */
import { systemClock } from "../../config/ambient.ts";
import type { PolicyPlace } from "../../config/policy-places.ts";
import { policyPlaces } from "../../config/policy-places.ts";
import { resolveStatePaths } from "../../config/state-paths.ts";
import type { LayerKind } from "../../contract/bundle.ts";
import type { PlaceRole } from "../../contract/place-role.ts";
import { ageOf } from "../age-of.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import { printable } from "../printable.ts";
import type { Column, OutputFormat } from "../print.ts";
import { printList } from "../print.ts";
import type { BundleContext } from "./bundle-context.ts";
import type { FoundHere } from "./find-here.ts";
import { findHere } from "./find-here.ts";
import { historyPlace } from "./policy-place.ts";
import { readStanding } from "./read-standing.ts";
import type { SourceStanding } from "./source-standing.ts";
import { whyNotHere } from "./why-not-here.ts";

interface BundleRow extends Omit<SourceStanding, "state"> {
  readonly name: string;
  /** `policy`, or what it is beside the policy of `beside`. */
  readonly role: PlaceRole;
  readonly beside: string | null;
  readonly kind: LayerKind;
  readonly reference: string | null;
  /**
   * As in `source-state.ts`; where no gateway has had a bundle yet `ready`, `cached`, `not_pulled`,
   * `not_asked`, `source_folder`, `no_policy`, or the code of a failure.
   */
  readonly state: string;
  /** What is on this machine where none was active yet. */
  readonly here: Omit<FoundHere, "state"> | null;
}

/** Prints one row for each server, layer and companion, and then what is wrong with them. */
export async function listCommand(
  context: BundleContext,
  { output }: { readonly output: OutputFormat },
): Promise<void> {
  const { io, config } = context;
  if (config === undefined) {
    throw new CliError(
      exitCodes.invalid,
      "expected a configuration, found none; pass --config FILE",
    );
  }
  const nowMs = systemClock.nowMs();
  const rows: BundleRow[] = [];
  for (const place of policyPlaces(config)) rows.push(await describeRow(place, context, nowMs));
  printList(io, output, rows, columnsAt(nowMs));
  if (output === "table") tellErrors(io, rows);
}

function tellErrors(io: CliIo, rows: readonly BundleRow[]): void {
  for (const { name, errors, state, message: found } of rows) {
    for (const { code, message } of errors) io.err(printable(`${name}: ${message} [${code}]`));
    if (errors.length === 0 && found !== null) io.err(printable(`${name}: ${found} [${state}]`));
  }
}

/** So wide that a row of usual names stays within 100 characters. */
const widthLimit = 14;

function columnsAt(nowMs: number): readonly Column<BundleRow>[] {
  const age = (at: string | null | undefined): string =>
    typeof at === "string" ? ageOf(nowMs - Date.parse(at)) : "-";
  return [
    { title: "NAME", cell: ({ name }) => name },
    { title: "STATE", cell: ({ state }) => state },
    { title: "REVISION", cell: ({ active, here }) => short((active ?? here)?.revision) },
    { title: "DIGEST", cell: ({ active, here }) => hexOf((active ?? here)?.digest) },
    {
      title: "SIGNER",
      cell: ({ active }) => short(active?.signers.join(",") || active?.vouched_by),
    },
    { title: "AGE", cell: ({ active }) => age(active?.activated_at) },
    { title: "NEXT", cell: nextOf },
    { title: "ASKED", cell: ({ last_request }) => age(last_request) },
  ];
}

/** What would be active, were it not for whoever holds it back. */
function nextOf({ active, candidate, hold }: BundleRow): string {
  if (hold !== null && hold.digest !== active?.digest) return hexOf(hold.digest);
  return candidate === null ? "-" : short(candidate.revision || hexOf(candidate.digest));
}

function short(text: string | null | undefined): string {
  if (typeof text !== "string" || text === "") return "-";
  return text.length <= widthLimit ? text : `${text.slice(0, widthLimit - 1)}…`;
}

/** As many digits as the commands need. */
function hexOf(digest: string | null | undefined): string {
  return digest?.split(":")[1]?.slice(0, 12) ?? "-";
}

async function describeRow(
  { name, base, role, kind, policy }: PolicyPlace,
  context: BundleContext,
  nowMs: number,
): Promise<BundleRow> {
  const about = { name, role, beside: role === "policy" ? null : base, kind };
  if (policy === undefined) {
    return { ...nothing, ...about, reference: null, state: "no_policy" };
  }
  const { reference, opaque } = policy;
  const place = historyPlace(resolveStatePaths(context.io.env, context.io.cwd));
  const { state, ...standing } = await readStanding(place, { name, policy }, nowMs);
  const row = { ...standing, ...about, reference, here: null };
  if (standing.active !== null) return { ...row, state: state ?? "active" };
  if (state === "unreadable") return { ...row, state: standing.code ?? state };
  const { state: found, ...here } = await findHere(
    { name: base, kind, opaque, reference },
    context,
  );
  const message = row.message ?? whyNotHere(found, reference) ?? null;
  return { ...row, state: state ?? found, here, message };
}

const nothing = {
  active_revision: null,
  active: null,
  candidate: null,
  hold: null,
  here: null,
  last_request: null,
  last_successful_request: null,
  last_successful_download: null,
  last_successful_activation: null,
  code: null,
  message: null,
  errors: [],
} as const;
