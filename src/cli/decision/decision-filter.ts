/**
 * The options that choose decisions, for the commands that show them.
 */
import type { Command } from "commander";
import { outcomes } from "../../contract/record.ts";
import type { DecisionFilter } from "../../decision/store/query-decisions.ts";
import { exitCodes } from "../exit-code.ts";
import { CliError } from "../io.ts";

export interface FilterOptions {
  readonly server?: string;
  readonly tool?: string;
  readonly agent?: string;
  readonly outcome?: string;
  readonly effect?: string;
}

const effects = ["allow", "deny", "hold"] as const;
const shownOutcomes = [...outcomes, "pending"] as const;

/** Adds them. */
export function withFilterOptions(command: Command, server = "only of this server"): Command {
  return command
    .option("--server <id>", server)
    .option("--tool <name>", "only of this tool, by its own or its exposed name")
    .option("--agent <id>", "only of this agent")
    .option("--outcome <outcome>", shownOutcomes.join(", "))
    .option("--effect <effect>", effects.join(", "));
}

/** The filter of what was given; a word that nobody knows is a usage error. */
export function filterOf(options: FilterOptions): Omit<DecisionFilter, "limit" | "sinceMs"> {
  const { server, tool, agent } = options;
  const outcome = oneOf("--outcome", shownOutcomes, options.outcome);
  const effect = oneOf("--effect", effects, options.effect);
  return { server, tool, agent, outcome, effect };
}

/** What was given, where it is one of those that are known. */
export function oneOf<Known extends string>(
  option: string,
  known: readonly Known[],
  given: string | undefined,
): Known | undefined {
  if (given === undefined) return undefined;
  const found = known.find((one) => one === given);
  if (found !== undefined) return found;
  throw new CliError(
    exitCodes.usage,
    `expected ${option} to be one of ${known.join(", ")}, found "${given}"`,
  );
}
