/**
 * Counters and budgets for somebody who looks after them over the admin interface: what is used, a
 * limit that is raised for a time, a count that begins anew.
 */
import { durationSchema, parseDurationMs } from "../config/duration.ts";
import type { Budget, BudgetFilter, BudgetHands } from "../policy/usage/budgets.ts";
import { grantBudget, listBudgets, resetBudgets } from "../policy/usage/budgets.ts";
import type { UsageStore } from "../policy/usage/usage-store.ts";

export interface DeskGrant {
  readonly filter: BudgetFilter;
  readonly by: string;
  readonly reason: string;
  readonly amount: number;
  /** As `2h`; `undefined`: as long as its window is. */
  readonly span: string | undefined;
}

/** What does not count throws `UsageError`. */
export interface BudgetDesk {
  readonly list: (filter: BudgetFilter) => Promise<readonly Budget[]>;
  readonly grant: (grant: DeskGrant) => Promise<Budget>;
  readonly reset: (wish: Pick<DeskGrant, "filter" | "by" | "reason">) => Promise<readonly Budget[]>;
}

/** `open`: the store of counters, which is closed again after each request. */
export interface BudgetDeskOptions extends Omit<BudgetHands, "store"> {
  readonly open: () => Promise<UsageStore>;
}

/** A desk at the counters of one tenant. */
export function openBudgetDesk({ open, ...about }: BudgetDeskOptions): BudgetDesk {
  const withHands = async <Result>(work: (hands: BudgetHands) => Promise<Result>) => {
    const store = await open();
    try {
      return await work({ ...about, store });
    } finally {
      await store.close();
    }
  };
  return {
    list: (filter) => withHands(({ store, tenant }) => listBudgets(store, tenant, filter)),
    grant: ({ span, ...wish }) =>
      withHands((hands) =>
        grantBudget(hands, {
          ...wish,
          forMs: span === undefined ? undefined : parseDurationMs(span),
        }),
      ),
    reset: (wish) => withHands((hands) => resetBudgets(hands, wish)),
  };
}

/** True for a time that a grant may last. */
export function isGrantSpan(text: string): boolean {
  return durationSchema.safeParse(text).success && parseDurationMs(text) > 0;
}
