/**
 * `budget grant` and `budget reset`: recorded, then done.
 */
import { newId, systemClock } from "../../config/ambient.ts";
import { durationSchema, parseDurationMs } from "../../config/duration.ts";
import { maxAmount } from "../../contract/counter.ts";
import type { BudgetFilter, BudgetHands, BudgetWish } from "../../policy/usage/budgets.ts";
import { grantBudget, resetBudgets } from "../../policy/usage/budgets.ts";
import { personOf } from "../person-of.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printDocument, printList } from "../print.ts";
import { requireWhy } from "../read-why.ts";
import { withDecisionLog } from "../with-decision-log.ts";
import { budgetColumns } from "./list-budgets.ts";
import { readKey, withUsage } from "./with-usage.ts";
import type { UsageContext } from "./with-usage.ts";

interface ChangeOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly key: readonly string[];
  readonly why?: string;
}

export interface GrantOptions extends ChangeOptions {
  readonly amount: string;
  readonly for?: string;
}

export interface ResetOptions extends ChangeOptions {
  readonly all?: boolean;
}

type Name = Required<Pick<BudgetFilter, "layer" | "counter">>;

/** Raises one limit and prints the counter as it is now. */
export async function grantCommand(io: CliIo, name: Name, options: GrantOptions): Promise<void> {
  const amount = readAmount(options.amount);
  const forMs = options.for === undefined ? undefined : readSpan(options.for);
  const wish = wishOf(io, name, options, "a grant");
  const budget = await withHands(io, options.config, (hands) =>
    grantBudget(hands, { ...wish, amount, forMs }),
  );
  if (options.output === "table") printList(io, "table", [budget], budgetColumns);
  else printDocument(io, options.output, budget);
}

/** Begins counters anew and prints them as they are then. */
export async function resetCommand(io: CliIo, name: Name, options: ResetOptions): Promise<void> {
  if (options.key.length === 0 && options.all !== true) {
    throw new CliError(exitCodes.usage, "expected --key FIELD=VALUE, or --all for every key");
  }
  const wish = wishOf(io, name, options, "a reset");
  const budgets = await withHands(io, options.config, (hands) => resetBudgets(hands, wish));
  printList(io, options.output, budgets, budgetColumns);
}

function wishOf(io: CliIo, name: Name, { key, why }: ChangeOptions, what: string): BudgetWish {
  const reason = requireWhy(why, what);
  return { filter: { ...name, key: readKey(key) }, by: personOf(io), reason };
}

async function withHands<Result>(
  io: CliIo,
  configPath: string | undefined,
  work: (hands: BudgetHands) => Promise<Result>,
): Promise<Result> {
  return await withUsage(io, configPath, async ({ config, stateDir, store }: UsageContext) => {
    const about = { store, tenant: config.tenant, clock: systemClock, newId };
    return await withDecisionLog(io, { config, stateDir }, (log) =>
      work({ ...about, note: (record) => log.note(record) }),
    );
  });
}

function readAmount(text: string): number {
  const amount = /^\d+(?:\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (amount > 0 && amount <= maxAmount) return amount;
  throw new CliError(exitCodes.usage, `expected --amount above 0, found "${text}"`);
}

function readSpan(text: string): number {
  const spanMs = durationSchema.safeParse(text).success ? parseDurationMs(text) : 0;
  if (spanMs > 0) return spanMs;
  throw new CliError(exitCodes.usage, `expected --for as 90s, 15m, 12h or 7d, found "${text}"`);
}
