/**
 * `budget list`: what is used of each counter, and what is left.
 */
import type { Budget } from "../../policy/usage/budgets.ts";
import { listBudgets } from "../../policy/usage/budgets.ts";
import type { CliIo } from "../io.ts";
import type { Column, OutputFormat } from "../print.ts";
import { printList } from "../print.ts";
import { readKey, withUsage } from "./with-usage.ts";

export interface ListOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly layer?: string;
  readonly key: readonly string[];
}

/** Prints one row for each counter. */
export async function listCommand(io: CliIo, options: ListOptions): Promise<void> {
  const filter = { layer: options.layer, key: readKey(options.key) };
  const budgets = await withUsage(io, options.config, ({ store, config }) =>
    listBudgets(store, config.tenant, filter),
  );
  printList(io, options.output, budgets, budgetColumns);
  if (budgets.length === 0 && options.output === "table") io.err("nothing was counted yet");
}

/** The table of counters. */
export const budgetColumns: readonly Column<Budget>[] = [
  { title: "LAYER", cell: ({ layer }) => layer },
  { title: "COUNTER", cell: ({ counter }) => counter },
  { title: "KEY", cell: describeKey },
  { title: "USED", cell: ({ used }) => String(used) },
  { title: "LIMIT", cell: describeLimit },
  { title: "LEFT", cell: ({ remaining }) => String(remaining) },
  { title: "RESETS", cell: (budget) => budget.resets_at ?? "-" },
];

function describeKey({ key }: Budget): string {
  return Object.entries(key)
    .map(([field, value]) => `${field}=${value}`)
    .join(" ");
}

function describeLimit({ limit, granted }: Budget): string {
  return granted === 0 ? String(limit) : `${limit} (${granted} granted)`;
}
