/**
 * `mcp-gateway decision list|get|tail|stats|explain|export`: reads the decisions back from the store that the configuration
 * names. With the embedded store it first takes in what the spool has.
 */
import type { Command } from "commander";
import { systemClock } from "../config/ambient.ts";
import { parseTime } from "../decision/parse-time.ts";
import { listNotes, noteKinds } from "../decision/store/list-notes.ts";
import type { Note } from "../decision/store/list-notes.ts";
import { getRecord, listDecisions } from "../decision/store/query-decisions.ts";
import { decisionColumns } from "./decision/decision-columns.ts";
import { filterOf, withFilterOptions } from "./decision/decision-filter.ts";
import type { FilterOptions } from "./decision/decision-filter.ts";
import { registerReadingCommands } from "./decision/reading-commands.ts";
import { loadConfigFor, stateDirOf } from "./common-options.ts";
import type { AsTestOptions } from "./decision/as-test.ts";
import { registerExportCommand } from "./decision/register-export.ts";
import { withStore } from "./decision/with-store.ts";
import type { CliIo } from "./io.ts";
import type { Column, OutputFormat } from "./print.ts";
import { exitCodes } from "./exit-code.ts";
import { action, CliError } from "./io.ts";
import { printDocument, printList } from "./print.ts";
import { requireWhy } from "./read-why.ts";
import { withCommonOptions } from "./with-common-options.ts";

interface CommonOptions {
  readonly config?: string;
  readonly output: OutputFormat;
}

interface ListOptions extends CommonOptions, FilterOptions {
  readonly since?: string;
  readonly kind?: string;
  readonly limit: number;
}

interface GetOptions extends CommonOptions, AsTestOptions {
  readonly asTest?: boolean;
  readonly unmask?: boolean;
  readonly why?: string;
  readonly key?: string;
}

const limitMax = 10_000;

/** Adds the commands of `decision`. */
export function registerDecisionCommands(program: Command, io: CliIo): void {
  const decision = program.command("decision").description("read the recorded decisions");
  withFilterOptions(
    withCommonOptions(
      decision.command("list").description("list decisions, or other records, newest first"),
    ),
    "only of this server; of activations and shadows also a layer",
  )
    .option("--since <time>", "RFC 3339, or how long ago: 15m, 2h, 7d")
    .option("--kind <kind>", `other records: ${noteKinds.join(", ")}`)
    .option("--limit <number>", "at most so many", parseLimit, 50)
    .action(action(io, (options: ListOptions) => list(io, options)));
  withCommonOptions(decision.command("get").description("print one decision or other record whole"))
    .argument("<id>", 'id, the beginning of one, or "last"')
    .option("--as-test", "print a Rego test case that passes with the bundle that decided")
    .option("--layer <name>", "of --as-test: whose; the first that refused, else the server's")
    .option("-f, --file <file>", "of --as-test: write there")
    .option("--unmask", "show what the record hides; needs --key, and is recorded")
    .option("--why <text>", "with --unmask: why; goes into the record")
    .option("--key <key>", "with --unmask: private key: a file with PEM, or env://NAME")
    .action(action(io, (id: string, options: GetOptions) => get(io, id, options)));
  registerReadingCommands(decision, io);
  registerExportCommand(decision, io);
}

async function list(io: CliIo, options: ListOptions): Promise<void> {
  if (options.kind !== undefined && options.kind !== "decision") return await notes(io, options);
  const { since, limit } = options;
  const filter = filterOf(options);
  const sinceMs = since === undefined ? undefined : parseTime(since, systemClock.nowMs());
  const items = await withStore(io, options.config, (database) =>
    listDecisions(database, { ...filter, sinceMs, limit }),
  );
  printList(io, options.output, items, decisionColumns);
  if (items.length === 0 && options.output === "table") io.err("no decisions match");
}

/** Of these there are no agents, effects or outcomes to ask for. */
async function notes(io: CliIo, options: ListOptions): Promise<void> {
  const kind = noteKinds.find((known) => known === options.kind);
  if (kind === undefined) {
    throw new CliError(
      exitCodes.usage,
      `expected --kind to be one of decision, ${noteKinds.join(", ")}, found "${options.kind}"`,
    );
  }
  const strange = (["tool", "agent", "outcome", "effect"] as const).find(
    (name) => options[name] !== undefined,
  );
  if (strange !== undefined) {
    const message = `--${strange} is about decisions; with --kind ${kind} use --server and --since`;
    throw new CliError(exitCodes.usage, message);
  }
  const { since, server: about, limit } = options;
  const sinceMs = since === undefined ? undefined : parseTime(since, systemClock.nowMs());
  const items = await withStore(io, options.config, (database) =>
    listNotes(database, { kind, sinceMs, about, limit }),
  );
  printList(io, options.output, items, noteColumns);
  if (items.length === 0 && options.output === "table") io.err("no records match");
}

const noteColumns: readonly Column<Note>[] = [
  { title: "TIME", cell: ({ timestamp }) => new Date(timestamp).toISOString() },
  { title: "EVENT", cell: eventOf },
  { title: "ABOUT", cell: aboutOf },
  { title: "REVISION", cell: ({ revision }) => revision || "-" },
  { title: "BY", cell: ({ by }) => by ?? "-" },
  { title: "WHY", cell: whyOf },
  { title: "ID", cell: ({ decision_id }) => decision_id },
];

function eventOf({ event, action, difference }: Note): string {
  return event ?? action ?? difference ?? "-";
}

/** Of a difference what the shadow says. */
function whyOf({ why, reason, code, would }: Note): string {
  return why ?? reason ?? code ?? (would?.reasons?.join(",") || "-");
}

function aboutOf({ layer, server, subject, tool }: Note): string {
  const name = layer ?? server ?? subject ?? "-";
  return typeof tool === "string" ? `${name}/${tool}` : name;
}

async function get(io: CliIo, id: string, options: GetOptions): Promise<void> {
  if (options.asTest === true) {
    if (options.unmask === true || options.key !== undefined) {
      throw new CliError(exitCodes.usage, "--as-test goes without --unmask and --key");
    }
    const { printAsTest } = await import("./decision/as-test.ts");
    return await printAsTest(io, id, options);
  }
  if (options.key !== undefined && options.unmask !== true) {
    throw new CliError(exitCodes.usage, "--key is about --unmask, which is not there");
  }
  const opening = options.unmask === true ? await openingOf(io, options) : undefined;
  const whole = await withStore(io, options.config, (database) => getRecord(database, id));
  if ("admission" in whole && whole.admission === null) {
    const { payload_pruned_at: at } = whole;
    const what = at === undefined ? "is gone" : `was pruned at ${at}, after its retention`;
    io.err(`note: its payload ${what}`);
  }
  if (opening === undefined) return printDocument(io, options.output, whole);
  const { config } = loadConfigFor(io, options.config);
  const shown = await opening.unmask(io, whole, { config, stateDir: stateDirOf(io), ...opening });
  printDocument(io, options.output, shown);
}

/** What is wrong with it is said before anything is read. */
async function openingOf(io: CliIo, options: GetOptions) {
  const why = requireWhy(options.why, "--unmask");
  const { requireUnmaskKey, unmask } = await import("./decision/unmask.ts");
  return { why, key: requireUnmaskKey(io, options.key), unmask };
}

function parseLimit(given: string): number {
  const limit = /^\d{1,6}$/.test(given) ? Number(given) : 0;
  if (limit >= 1 && limit <= limitMax) return limit;
  throw new CliError(
    exitCodes.usage,
    `expected --limit to be a number from 1 to ${limitMax}, found "${given}"`,
  );
}
