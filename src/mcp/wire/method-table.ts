/**
 * The closed method table: what happens to each method, in each direction and era. A method that is
 * not here is refused and logged; nothing is ever forwarded because it was not recognised.
 *
 * - `local`: answered by the gateway itself
 * - `filter`: answered from the catalogue, filtered by policy
 * - `decide`: put before policy, then forwarded or refused
 * - `relay`: passed on after its ids and tokens were mapped
 * - `refuse`: answered with an error, or dropped where it is a notification
 */

export type Disposition = "local" | "filter" | "decide" | "relay" | "refuse";

/** `legacy`: up to 2025-11-25, with `initialize`. `modern`: 2026-07-28, an envelope per request. */
export type Era = "legacy" | "modern";

export const legacyVersions = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;
export const modernVersions = ["2026-07-28"] as const;

type Row = Readonly<Partial<Record<Era, Disposition>>>;

const clientRequests: Readonly<Record<string, Row>> = {
  initialize: { legacy: "local" },
  ping: { legacy: "local" },
  "server/discover": { modern: "local" },
  "tools/list": { legacy: "filter", modern: "filter" },
  "tools/call": { legacy: "decide", modern: "decide" },
};

const clientNotifications: Readonly<Record<string, Row>> = {
  "notifications/initialized": { legacy: "local" },
  "notifications/cancelled": { legacy: "relay", modern: "relay" },
};

const serverRequests: Readonly<Record<string, Row>> = {
  ping: { legacy: "local" },
};

const serverNotifications: Readonly<Record<string, Row>> = {
  "notifications/progress": { legacy: "relay" },
  "notifications/tools/list_changed": { legacy: "local" },
};

const tables = { clientRequests, clientNotifications, serverRequests, serverNotifications };

export type TableName = keyof typeof tables;

/** What happens to `method`; exact match, `refuse` for everything unknown. */
export function dispositionOf(table: TableName, method: string, era: Era): Disposition {
  const rows = tables[table];
  if (!Object.hasOwn(rows, method)) return "refuse";
  return rows[method]?.[era] ?? "refuse";
}
