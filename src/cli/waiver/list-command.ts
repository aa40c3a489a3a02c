/**
 * `waiver list`: every waiver that decisions have met since some time, and every one that the active
 * overrides bundles state whatever the call is. A bundle may offer others for calls that nobody has
 * made yet.
 */
import { systemClock } from "../../config/ambient.ts";
import { parseRfc3339Ms } from "../../contract/rfc3339.ts";
import type { Waiver } from "../../contract/layer.ts";
import { parseTime } from "../../decision/parse-time.ts";
import type { SeenWaiver } from "../../decision/store/list-waivers.ts";
import { listWaivers } from "../../decision/store/list-waivers.ts";
import { withStore } from "../decision/with-store.ts";
import type { CliIo } from "../io.ts";
import type { Column, OutputFormat } from "../print.ts";
import { printList } from "../print.ts";
import type { StatedWaiver, StatedWaivers } from "./stated-waivers.ts";
import { statedWaivers } from "./stated-waivers.ts";

export interface ListOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly since: string;
}

interface WaiverRow {
  /** Overrides layer that offers it. */
  readonly layer: string;
  readonly bundle: string;
  readonly rule: string;
  /** `former`: a bundle offered it that is not active any more, and the active one does not state it. */
  readonly state: "in_force" | "expired" | "former" | "void";
  readonly expires: string;
  readonly ticket: string | null;
  readonly justification: string;
  /** What is wrong with a void one. */
  readonly problem: string | null;
  /** True where the active bundle states it for any call. */
  readonly is_stated: boolean;
  readonly uses: number;
  readonly last_used: string | null;
  readonly last_offered: string | null;
}

/** Prints one row for each waiver, by layer, bundle and rule. */
export async function listCommand(io: CliIo, options: ListOptions): Promise<void> {
  const nowMs = systemClock.nowMs();
  const sinceMs = parseTime(options.since, nowMs);
  const stated = await statedWaivers(io, options.config);
  const seen = await withStore(io, options.config, (store) => listWaivers(store, sinceMs));
  const rows = rowsOf(stated, seen, nowMs);
  printList(io, options.output, rows, columns);
  if (rows.length === 0 && options.output === "table") io.err("no waivers");
}

const columns: readonly Column<WaiverRow>[] = [
  { title: "LAYER", cell: ({ layer }) => layer },
  { title: "BUNDLE", cell: ({ bundle }) => bundle || "-" },
  { title: "RULE", cell: ({ rule }) => rule || "-" },
  { title: "STATE", cell: ({ state }) => state },
  { title: "EXPIRES", cell: ({ expires }) => expires || "-" },
  { title: "USES", cell: ({ uses }) => String(uses) },
  { title: "LAST USED", cell: ({ last_used }) => last_used ?? "never" },
  { title: "TICKET", cell: ({ ticket }) => ticket ?? "-" },
  { title: "WHY", cell: ({ justification, problem }) => problem ?? justification },
];

const unseen = { digests: [], last_offered: null, uses: 0, last_used: null } as const;

function rowsOf(
  { stated, asked }: StatedWaivers,
  seen: readonly SeenWaiver[],
  nowMs: number,
): readonly WaiverRow[] {
  const keys = new Set(stated.map(keyOf));
  const seenKeys = new Set(seen.map(keyOf));
  const never = stated.filter((waiver) => !seenKeys.has(keyOf(waiver)));
  return [...seen, ...never.map((waiver) => ({ ...waiver, ...unseen }))]
    .map(({ layer, waiver, digests, ...use }) => {
      const { ticket = null, problem = null, ...said } = waiver;
      const isStated = keys.has(keyOf({ layer, waiver }));
      const isOffered = isStated || mayBeOffered(asked, layer, digests);
      const state = isOffered ? stateOf(waiver, nowMs) : "former";
      return { layer, ...said, ticket, problem, state, is_stated: isStated, ...use };
    })
    .toSorted((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1));
}

/**
 * Whether the active bundle may offer it for some calls: it did so when it was asked. Of a layer whose
 * bundle cannot be asked nobody knows, and one that left the configuration offers nothing.
 */
function mayBeOffered(
  asked: StatedWaivers["asked"],
  layer: string,
  digests: readonly (string | null)[],
): boolean {
  const active = asked.get(layer);
  return active === undefined ? asked.has(layer) : digests.includes(active);
}

interface NamedWaiver {
  readonly layer: string;
  readonly waiver: StatedWaiver["waiver"] | SeenWaiver["waiver"];
}

/** Layer and all that makes it one waiver and no other. */
function keyOf({ layer, waiver }: NamedWaiver): string {
  const { bundle, rule, justification, expires, ticket = null } = waiver;
  return JSON.stringify([layer, bundle, rule, justification, expires, ticket]);
}

function stateOf(
  { problem, expires }: Pick<Waiver, "problem" | "expires">,
  nowMs: number,
): WaiverRow["state"] {
  if (problem !== undefined) return "void";
  return (parseRfc3339Ms(expires) ?? 0) > nowMs ? "in_force" : "expired";
}

function sortKey({ layer, bundle, rule, expires }: WaiverRow): string {
  return JSON.stringify([layer, bundle, rule, expires]);
}
