/**
 * The closed method table: what happens to each method, in each direction and protocol revision. It
 * has a row for exactly the methods that the published schemas have (`protocol-methods.ts`); a row
 * that is missing or one too many does not compile. A method that a revision does not have is
 * refused in that revision; nothing is ever forwarded because it was not recognised.
 *
 * - `local`: answered by the gateway itself
 * - `filter`: answered from the catalogue, filtered by policy
 * - `decide`: put before policy, then forwarded or refused
 * - `relay`: passed on after its ids and tokens were mapped
 * - `refuse`: answered with an error, or dropped where it is a notification
 */
import type { ActionType } from "../../contract/policy-input.ts";
import { protocolSchemas } from "./protocol-methods.ts";

export type Disposition = "local" | "filter" | "decide" | "relay" | "refuse";

/** `legacy`: up to 2025-11-25, with `initialize`. `modern`: 2026-07-28, an envelope per request. */
export type Era = "legacy" | "modern";

export const legacyVersions = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;
export const modernVersions = ["2026-07-28"] as const;

/**
 * Who says it. `inputRequests` are what a modern server asks inside an `input_required` result; all
 * others are messages.
 */
export type Direction = (typeof directions)[number];

const directions = [
  "clientRequests",
  "clientNotifications",
  "serverRequests",
  "serverNotifications",
  "inputRequests",
] as const;

type MethodOf<Of extends Direction> = (typeof protocolSchemas)[number][Of][number];
type Table = { readonly [Of in Direction]: Readonly<Record<MethodOf<Of>, Disposition>> };

const table: Table = {
  clientRequests: {
    initialize: "local",
    "server/discover": "local",
    ping: "local",
    "logging/setLevel": "local",
    "tools/list": "filter",
    "resources/list": "filter",
    "resources/templates/list": "filter",
    "prompts/list": "filter",
    "tasks/list": "filter",
    // Its resource URIs are decided one by one.
    "subscriptions/listen": "filter",
    "tools/call": "decide",
    "resources/read": "decide",
    "resources/subscribe": "decide",
    "resources/unsubscribe": "relay",
    "prompts/get": "decide",
    "completion/complete": "decide",
    "tasks/get": "decide",
    "tasks/result": "decide",
    "tasks/cancel": "decide",
    "tasks/update": "decide",
  },
  clientNotifications: {
    "notifications/initialized": "local",
    "notifications/roots/list_changed": "local",
    "notifications/cancelled": "relay",
    "notifications/progress": "relay",
    // Of tasks that a client runs for a server; no server gets to start one.
    "notifications/tasks/status": "refuse",
  },
  serverRequests: {
    ping: "local",
    "sampling/createMessage": "decide",
    "elicitation/create": "decide",
    "roots/list": "decide",
    "tasks/get": "refuse",
    "tasks/result": "refuse",
    "tasks/list": "refuse",
    "tasks/cancel": "refuse",
  },
  serverNotifications: {
    "notifications/tools/list_changed": "local",
    "notifications/prompts/list_changed": "local",
    "notifications/resources/list_changed": "local",
    "notifications/subscriptions/acknowledged": "local",
    "notifications/cancelled": "relay",
    "notifications/progress": "relay",
    "notifications/message": "relay",
    "notifications/resources/updated": "relay",
    "notifications/elicitation/complete": "relay",
    "notifications/tasks/status": "relay",
    "notifications/tasks": "relay",
  },
  inputRequests: {
    "sampling/createMessage": "decide",
    "elicitation/create": "decide",
    "roots/list": "decide",
  },
};

const actionTypes: ReadonlyMap<string, ActionType> = new Map([
  ["tools/call", "tool_call"],
  ["prompts/get", "prompt_get"],
  ["resources/read", "resource_read"],
  ["resources/subscribe", "resource_subscribe"],
  ["completion/complete", "completion"],
  ["tasks/get", "task_get"],
  ["tasks/result", "task_result"],
  ["tasks/cancel", "task_cancel"],
  ["tasks/update", "task_update"],
  ["sampling/createMessage", "sampling"],
  ["elicitation/create", "elicitation"],
  ["roots/list", "roots_list"],
]);

/** What a peer may say whose revision is not known yet. */
const beforeGreeting: ReadonlySet<string> = new Set(["initialize", "ping"]);
const revisionBeforeGreeting = legacyVersions[0];

const dispositions: ReadonlyMap<string, Disposition> = new Map(
  protocolSchemas.flatMap((schema) =>
    directions.flatMap((direction) => {
      const rows = new Map<string, Disposition>(Object.entries(table[direction]));
      return schema[direction].map((method) => {
        const disposition = rows.get(method) ?? "refuse";
        return [keyOf(direction, method, schema.revision), disposition] as const;
      });
    }),
  ),
);

/**
 * What happens to `method`, exact to the letter, when it is said in a protocol revision. Before a
 * peer is greeted, and for a revision that nobody knows, there is `initialize` and `ping`.
 */
export function dispositionOf(
  direction: Direction,
  method: string,
  protocolVersion: string,
): Disposition {
  const isGreeted = eraOf(protocolVersion) !== undefined;
  if (!isGreeted && !beforeGreeting.has(method)) return "refuse";
  const revision = isGreeted ? protocolVersion : revisionBeforeGreeting;
  return dispositions.get(keyOf(direction, method, revision)) ?? "refuse";
}

function keyOf(direction: Direction, method: string, revision: string): string {
  return `${revision} ${direction} ${method}`;
}

/** The era that a revision belongs to; `undefined` for one that the gateway does not speak. */
export function eraOf(protocolVersion: string): Era | undefined {
  if (legacyVersions.some((version) => version === protocolVersion)) return "legacy";
  return modernVersions.some((version) => version === protocolVersion) ? "modern" : undefined;
}

/** As what a decided method is put before policy; `undefined` for one that is not decided. */
export function actionTypeOf(method: string): ActionType | undefined {
  return actionTypes.get(method);
}
