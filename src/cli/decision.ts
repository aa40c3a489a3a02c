/**
 * `mcp-gateway decision list|get`: reads the decisions back from the store that the configuration
 * names. With the embedded store it first takes in what the spool has.
 */
import type { Command } from "commander";
import { systemClock } from "../config/ambient.ts";
import { outcomes } from "../contract/record.ts";
import { parseTime } from "../decision/parse-time.ts";
import { listNotes, noteKinds } from "../decision/store/list-notes.ts";
import type { Note } from "../decision/store/list-notes.ts";
import { getRecord, listDecisions } from "../decision/store/query-decisions.ts";
import type { DecisionSummary } from "../decision/store/query-decisions.ts";
import { withStore } from "./decision/with-store.ts";
import type { CliIo } from "./io.ts";
import type { Column, OutputFormat } from "./print.ts";
import { exitCodes } from "./exit-code.ts";
import { action, CliError } from "./io.ts";
import { printDocument, printList } from "./print.ts";
import { withCommonOptions } from "./with-common-options.ts";

interface CommonOptions {
  readonly config?: string;
  readonly output: OutputFormat;
}

interface ListOptions extends CommonOptions {
  readonly since?: string;
  readonly server?: string;
  readonly tool?: string;
  readonly agent?: string;
  readonly outcome?: string;
  readonly effect?: string;
  readonly kind?: string;
  readonly limit: number;
}

const effects = ["allow", "deny", "hold"] as const;
const shownOutcomes = [...outcomes, "pending"] as const;
const limitMax = 10_000;

/** Adds `decision list` and `decision get`. */
export function registerDecisionCommands(program: Command, io: CliIo): void {
  const decision = program.command("decision").description("read the recorded decisions");
  withCommonOptions(
    decision.command("list").description("list decisions, or other records, newest first"),
  )
    .option("--since <time>", "RFC 3339, or how long ago: 15m, 2h, 7d")
    .option("--server <id>", "only of this server; of activations and shadows also a layer")
    .option("--tool <name>", "only of this tool, by its own or its exposed name")
    .option("--agent <id>", "only of this agent")
    .option("--outcome <outcome>", shownOutcomes.join(", "))
    .option("--effect <effect>", effects.join(", "))
    .option("--kind <kind>", `other records: ${noteKinds.join(", ")}`)
    .option("--limit <number>", "at most so many", parseLimit, 50)
    .action(action(io, (options: ListOptions) => list(io, options)));
  withCommonOptions(decision.command("get").description("print one decision or other record whole"))
    .argument("<id>", 'id, the beginning of one, or "last"')
    .action(action(io, (id: string, options: CommonOptions) => get(io, id, options)));
}

async function list(io: CliIo, options: ListOptions): Promise<void> {
  if (options.kind !== undefined && options.kind !== "decision") return await notes(io, options);
  const { server, tool, agent, limit } = options;
  const outcome = oneOf("--outcome", shownOutcomes, options.outcome);
  const effect = oneOf("--effect", effects, options.effect);
  const { since } = options;
  const sinceMs = since === undefined ? undefined : parseTime(since, systemClock.nowMs());
  const items = await withStore(io, options.config, (database) =>
    listDecisions(database, { sinceMs, server, tool, agent, outcome, effect, limit }),
  );
  printList(io, options.output, items, columns);
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

async function get(io: CliIo, id: string, options: CommonOptions): Promise<void> {
  const whole = await withStore(io, options.config, (database) => getRecord(database, id));
  printDocument(io, options.output, whole);
}

const columns: readonly Column<DecisionSummary>[] = [
  { title: "TIME", cell: ({ time }) => time },
  { title: "EFFECT", cell: describeEffect },
  { title: "AGENT", cell: ({ agent }) => agent ?? "-" },
  { title: "SERVER", cell: ({ server }) => server ?? "-" },
  { title: "TOOL", cell: ({ tool, exposed_name }) => tool ?? exposed_name ?? "-" },
  { title: "REASONS", cell: ({ reasons }) => (reasons ?? []).join(",") || "-" },
  { title: "OUTCOME", cell: ({ outcome }) => outcome },
  { title: "LATENCY", cell: ({ latency_ms }) => (latency_ms === null ? "-" : inMs(latency_ms)) },
  { title: "ID", cell: ({ decision_id }) => decision_id },
];

function describeEffect({ effect, enforced }: DecisionSummary): string {
  return enforced === false ? `${effect} (observed)` : (effect ?? "-");
}

function inMs(milliseconds: number): string {
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)}ms`;
}

function oneOf(
  option: string,
  known: readonly string[],
  given: string | undefined,
): string | undefined {
  if (given === undefined || known.includes(given)) return given;
  throw new CliError(
    exitCodes.usage,
    `expected ${option} to be one of ${known.join(", ")}, found "${given}"`,
  );
}

function parseLimit(given: string): number {
  const limit = /^\d{1,6}$/.test(given) ? Number(given) : 0;
  if (limit >= 1 && limit <= limitMax) return limit;
  throw new CliError(
    exitCodes.usage,
    `expected --limit to be a number from 1 to ${limitMax}, found "${given}"`,
  );
}
