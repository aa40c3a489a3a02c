/**
 * Counters for people: listed, raised, begun anew. The command line speaks these; each change is
 * noted before it is made.
 */
import type { Clock, NewId } from "../../contract/ambient.ts";
import type { AdminRecord } from "../../contract/record.ts";
import { parseCounterKey, tenantPrefix } from "./counter-key.ts";
import type { CounterState, UsageStore } from "./usage-store.ts";
import { fromMillionths, toMillionths, UsageError } from "./usage-store.ts";

/** One counter, as it is printed. */
export interface Budget {
  readonly layer: string;
  readonly counter: string;
  readonly window: string;
  /** Values of its key by field. */
  readonly key: Readonly<Record<string, string>>;
  readonly used: number;
  /** With what was granted. */
  readonly limit: number;
  readonly granted: number;
  readonly remaining: number;
  readonly resets_at: string | null;
}

/** Which counters are meant; what is not said is any. */
export interface BudgetFilter {
  readonly layer?: string | undefined;
  readonly counter?: string | undefined;
  readonly key?: Readonly<Record<string, string>> | undefined;
}

export interface BudgetHands {
  readonly store: UsageStore;
  readonly tenant: string;
  readonly clock: Pick<Clock, "nowMs">;
  readonly newId: NewId;
  /** Resolves once it is durable. */
  readonly note: (record: AdminRecord) => Promise<void>;
}

export interface BudgetWish {
  readonly filter: BudgetFilter;
  /** A person, or the name of a token. */
  readonly by: string;
  readonly reason: string;
}

interface Found extends Budget {
  readonly name: string;
  readonly windowMs: number | undefined;
}

/** Every counter of a tenant that was used and still means something. */
export async function listBudgets(
  store: UsageStore,
  tenant: string,
  filter: BudgetFilter,
): Promise<readonly Budget[]> {
  return (await find(store, tenant, filter)).map(shown);
}

/**
 * Raises the limit of one counter, for a time; not said, for as long as its window is, and until it
 * is reset where it has none.
 *
 * @throws UsageError `budget_unknown` where the filter means none, or several
 */
export async function grantBudget(
  hands: BudgetHands,
  wish: BudgetWish & { readonly amount: number; readonly forMs: number | undefined },
): Promise<Budget> {
  const { store, tenant } = hands;
  const [budget, another] = await find(store, tenant, wish.filter);
  if (budget === undefined || another !== undefined) throw unclear(wish.filter, another);
  const forMs = wish.forMs ?? budget.windowMs;
  const details = { amount: wish.amount, for_ms: forMs ?? null };
  await note(hands, "budget_grant", budget, wish, details);
  const amount = toMillionths(wish.amount);
  if (!(await store.grant({ key: budget.name, amount, forMs }))) throw unclear(wish.filter);
  const [after] = await find(store, tenant, wish.filter);
  return shown(after ?? budget);
}

/**
 * Sets counters to nothing used and nothing granted; returns them as they are then.
 *
 * @throws UsageError `budget_unknown` where the filter means none
 */
export async function resetBudgets(
  hands: BudgetHands,
  wish: BudgetWish,
): Promise<readonly Budget[]> {
  const { store, tenant } = hands;
  const budgets = await find(store, tenant, wish.filter);
  if (budgets.length === 0) throw unclear(wish.filter);
  for (const budget of budgets) {
    await note(hands, "budget_reset", budget, wish, { used: budget.used });
    await store.reset(budget.name);
  }
  const after = await find(store, tenant, wish.filter);
  return budgets.map((before) =>
    shown(after.find(({ name }) => name === before.name) ?? begun(before)),
  );
}

/** A counter that its store has forgotten: nothing used, nothing granted. */
function begun(budget: Found): Found {
  const limit = fromMillionths(toMillionths(budget.limit) - toMillionths(budget.granted));
  return { ...budget, used: 0, granted: 0, limit, remaining: limit, resets_at: null };
}

async function note(
  { note: write, newId, clock, tenant }: BudgetHands,
  action: "budget_grant" | "budget_reset",
  { layer, counter, key }: Budget,
  { by, reason }: BudgetWish,
  details: AdminRecord["details"],
): Promise<void> {
  const about = { decisionId: newId(), timeMs: clock.nowMs(), tenant, by, action, reason };
  const subject = [`budget ${layer}/${counter}`, ...words(key)].join(" ");
  await write({ kind: "admin", ...about, subject, details: { ...details, key } });
}

async function find(
  store: UsageStore,
  tenant: string,
  filter: BudgetFilter,
): Promise<readonly Found[]> {
  const states = await store.list(tenantPrefix(tenant));
  return states.flatMap(foundOf).filter((budget) => isMeant(budget, filter));
}

function foundOf({ key: name, used, limit, granted, resetsAtMs }: CounterState): readonly Found[] {
  const parsed = parseCounterKey(name);
  if (parsed === undefined) return [];
  const { layer, counter, window, key } = parsed;
  const [, span] = window.split(":");
  const windowMs = span === undefined ? undefined : Number(span);
  const amounts = {
    used: fromMillionths(used),
    limit: fromMillionths(limit + granted),
    granted: fromMillionths(granted),
    remaining: fromMillionths(Math.max(0, limit + granted - used)),
  };
  const resets = resetsAtMs === undefined ? null : new Date(resetsAtMs).toISOString();
  return [{ layer, counter, window, key, ...amounts, resets_at: resets, name, windowMs }];
}

function isMeant(budget: Budget, { layer, counter, key = {} }: BudgetFilter): boolean {
  return (
    (layer === undefined || budget.layer === layer) &&
    (counter === undefined || budget.counter === counter) &&
    Object.entries(key).every(([field, value]) => budget.key[field] === value)
  );
}

function shown(found: Found): Budget {
  const { name: _, windowMs: __, ...budget } = found;
  return budget;
}

function words(key: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(key).map(([field, value]) => `${field}=${value}`);
}

function unclear({ layer, counter, key = {} }: BudgetFilter, another?: Budget): UsageError {
  const name = [`${layer ?? "*"}/${counter ?? "*"}`, ...words(key)].join(" ");
  const found = another === undefined ? "none that was used" : "several";
  return new UsageError(
    "budget_unknown",
    `expected one counter ${name}, found ${found}; see budget list`,
  );
}
