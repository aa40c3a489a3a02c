/**
 * Budgets over the admin interface: the same as `mcp-gateway budget`, recorded under the caller's
 * name.
 */
import * as z from "zod/mini";
import { maxReasonCharacters } from "../../contract/reason-limit.ts";
import type { CounterKeyField } from "../../contract/counter.ts";
import { counterKeyFields, maxAmount } from "../../contract/counter.ts";
import type { BudgetDesk } from "../../gateway/budget-desk.ts";
import { isGrantSpan } from "../../gateway/budget-desk.ts";
import { AdminError } from "../admin-error.ts";
import type { AdminReply, AdminRequest, AdminRoute } from "../admin-route.ts";
import { replyWith } from "../admin-route.ts";
import type { RefusalStatuses } from "../reply-or-refuse.ts";
import { replyOrRefuse } from "../reply-or-refuse.ts";

const reason = z.string().check(z.minLength(1), z.maxLength(maxReasonCharacters));
const which = {
  layer: z.string(),
  counter: z.string(),
  key: z._default(z.partialRecord(z.enum(counterKeyFields), z.string()), {}),
  reason,
};
const grantBody = z.strictObject({
  ...which,
  amount: z.number().check(z.positive(), z.maximum(maxAmount)),
  for: z.optional(z.string().check(z.refine(isGrantSpan))),
});
const resetBody = z.strictObject({ ...which, all: z.optional(z.boolean()) });

/** `GET /v1/budgets`, `POST /v1/budgets/grant` and `/reset`. */
export function budgetRoutes(desk: BudgetDesk): readonly AdminRoute[] {
  const path = "/v1/budgets";
  return [
    {
      method: "GET",
      path,
      role: "viewer",
      answer: async (request) => await replyOrRefuse(statuses, () => list(desk, request)),
    },
    {
      method: "POST",
      path: `${path}/grant`,
      role: "operator",
      answer: async (request) => await replyOrRefuse(statuses, () => grant(desk, request)),
    },
    {
      method: "POST",
      path: `${path}/reset`,
      role: "operator",
      answer: async (request) => await replyOrRefuse(statuses, () => reset(desk, request)),
    },
  ];
}

async function list(desk: BudgetDesk, { query }: AdminRequest): Promise<AdminReply> {
  const unknown = [...query.keys()].find((name) => !isFilter(name));
  if (unknown !== undefined) {
    throw invalid(`expected layer, counter or a field of keys in the query, found another`);
  }
  const fields = counterKeyFields.flatMap((field) => {
    const value = query.get(field);
    return value === null ? [] : [[field, value] as const];
  });
  const layer = query.get("layer") ?? undefined;
  const counter = query.get("counter") ?? undefined;
  return replyWith({ items: await desk.list({ layer, counter, key: Object.fromEntries(fields) }) });
}

function isFilter(name: string): boolean {
  const fields: readonly string[] = counterKeyFields;
  return name === "layer" || name === "counter" || fields.includes(name);
}

async function grant(desk: BudgetDesk, { body, caller }: AdminRequest): Promise<AdminReply> {
  const wanted = grantBody.safeParse(body);
  if (!wanted.success) {
    throw invalid('expected {"layer", "counter", "key"?, "amount", "for"?, "reason"}');
  }
  const { amount, for: span, ...rest } = wanted.data;
  return replyWith(await desk.grant({ ...wishOf(rest, caller.name), amount, span }));
}

async function reset(desk: BudgetDesk, { body, caller }: AdminRequest): Promise<AdminReply> {
  const wanted = resetBody.safeParse(body);
  if (!wanted.success) {
    throw invalid('expected {"layer", "counter", "key" or "all": true, "reason"}');
  }
  const { all = false, ...rest } = wanted.data;
  const isEvery = Object.keys(rest.key).length === 0;
  if (isEvery && !all) throw invalid('expected a "key", or "all": true for every key');
  return replyWith({ items: await desk.reset(wishOf(rest, caller.name)) });
}

interface Which {
  readonly layer: string;
  readonly counter: string;
  readonly key: Readonly<Partial<Record<CounterKeyField, string>>>;
  readonly reason: string;
}

function wishOf({ layer, counter, key, reason: why }: Which, by: string) {
  const named = counterKeyFields.flatMap((field) => {
    const value = key[field];
    return value === undefined ? [] : [[field, value] as const];
  });
  return { filter: { layer, counter, key: Object.fromEntries(named) }, by, reason: why };
}

const statuses: RefusalStatuses = new Map([
  ["budget_unknown", 404],
  ["usage_store_unavailable", 503],
  ["database_unreachable", 503],
]);

function invalid(message: string): AdminError {
  return new AdminError("admin_request_invalid", message);
}
