/**
 * `mcp-gateway decision list|get`: reads the decisions back from the store that the configuration
 * names. With the embedded store it first takes in what the spool has.
 */
import type { Command } from "commander";
import { systemClock } from "../config/ambient.ts";
import { ConfigError } from "../config/config-error.ts";
import { resolveConfigPath } from "../config/config-path.ts";
import { loadConfig } from "../config/load-config.ts";
import { ensurePrivateDir, resolveStatePaths } from "../config/state-paths.ts";
import { outcomes } from "../contract/record.ts";
import { DatabaseError } from "../database/database.ts";
import type { Database } from "../database/database.ts";
import { DecisionError } from "../decision/decision-error.ts";
import { parseTime } from "../decision/parse-time.ts";
import type { DecisionStore } from "../decision/store/open-store.ts";
import { openStore } from "../decision/store/open-store.ts";
import { getDecision, listDecisions } from "../decision/store/query-decisions.ts";
import type { DecisionSummary } from "../decision/store/query-decisions.ts";
import { createLog, parseLogLevel } from "../telemetry/log.ts";
import { codeOf, messageOf } from "../errors.ts";
import type { CliIo, ExitCode } from "./io.ts";
import type { Column, OutputFormat } from "./print.ts";
import { action, CliError, exitCodes } from "./io.ts";
import { parseOutputFormat, printDocument, printList } from "./print.ts";

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
  readonly limit: number;
}

const effects = ["allow", "deny", "hold"] as const;
const shownOutcomes = [...outcomes, "pending"] as const;
const limitMax = 10_000;

/** Adds `decision list` and `decision get`. */
export function registerDecisionCommands(program: Command, io: CliIo): void {
  const decision = program.command("decision").description("read the recorded decisions");
  withCommon(decision.command("list").description("list decisions, newest first"))
    .option("--since <time>", "RFC 3339, or how long ago: 15m, 2h, 7d")
    .option("--server <id>", "only of this server")
    .option("--tool <name>", "only of this tool, by its own or its exposed name")
    .option("--agent <id>", "only of this agent")
    .option("--outcome <outcome>", shownOutcomes.join(", "))
    .option("--effect <effect>", effects.join(", "))
    .option("--limit <number>", "at most so many", parseLimit, 50)
    .action(action(io, (options: ListOptions) => withExitCodes(list(io, options))));
  withCommon(decision.command("get").description("print one decision whole"))
    .argument("<id>", 'id, the beginning of one, or "last"')
    .action(
      action(io, (id: string, options: CommonOptions) => withExitCodes(get(io, id, options))),
    );
}

function withCommon(command: Command): Command {
  return command
    .option("-c, --config <file>", "configuration file (default: see the README)")
    .option("-o, --output <format>", "table, json, yaml or jsonl", parseOutputFormat, "table");
}

async function list(io: CliIo, options: ListOptions): Promise<void> {
  const { server, tool, agent, limit } = options;
  const outcome = oneOf("--outcome", shownOutcomes, options.outcome);
  const effect = oneOf("--effect", effects, options.effect);
  const { since } = options;
  const sinceMs = since === undefined ? undefined : parseTime(since, systemClock.nowMs());
  const items = await withStore(io, options, (database) =>
    listDecisions(database, { sinceMs, server, tool, agent, outcome, effect, limit }),
  );
  printList(io, options.output, items, columns);
  if (items.length === 0 && options.output === "table") io.err("no decisions match");
}

async function get(io: CliIo, id: string, options: CommonOptions): Promise<void> {
  const whole = await withStore(io, options, (database) => getDecision(database, id));
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

async function withStore<Result>(
  io: CliIo,
  options: CommonOptions,
  read: (database: Database) => Promise<Result>,
): Promise<Result> {
  const database = await openStore({
    store: loadStore(io, options),
    stateDir: ensurePrivateDir(resolveStatePaths(io.env, io.cwd).stateDir),
    clock: systemClock,
    log: createLog({ level: parseLogLevel(io.env["MCP_GATEWAY_LOG"]) ?? "warn" }),
  });
  try {
    return await read(database);
  } finally {
    await database.close();
  }
}

function loadStore(io: CliIo, options: CommonOptions): DecisionStore {
  const path = resolveConfigPath({ config: options.config }, io.env, io.cwd);
  return loadConfig({ path, env: io.env }).config.decisions.store;
}

/** Gives expected errors the exit code that they stand for. */
async function withExitCodes(command: Promise<void>): Promise<void> {
  try {
    await command;
  } catch (thrown) {
    const exitCode = exitCodeOf(thrown);
    if (exitCode === undefined) throw thrown;
    const message = `${messageOf(thrown)} [${codeOf(thrown)}]`;
    throw new CliError(exitCode, message, { cause: thrown });
  }
}

function exitCodeOf(thrown: unknown): ExitCode | undefined {
  if (thrown instanceof ConfigError) return exitCodes.invalid;
  if (thrown instanceof DatabaseError && thrown.code === "database_unreachable") {
    return exitCodes.unreachable;
  }
  if (!(thrown instanceof DecisionError)) return undefined;
  const isUsage = thrown.code === "invalid_time" || thrown.code === "invalid_filter";
  return isUsage ? exitCodes.usage : undefined;
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
