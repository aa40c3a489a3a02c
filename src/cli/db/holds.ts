/**
 * `db hold add|list|lift`: what is kept although its retention is over.
 */
import { newId, systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { parseTime } from "../../decision/parse-time.ts";
import type { HoldHands } from "../../decision/retention/change-holds.ts";
import { addHold, liftHold } from "../../decision/retention/change-holds.ts";
import type { Hold, HoldScope } from "../../decision/retention/hold.ts";
import { holdText } from "../../decision/retention/hold.ts";
import type { HoldStore } from "../../decision/retention/hold-store.ts";
import { openHolds } from "../../decision/retention/hold-store.ts";
import { isUuid } from "../../decision/store/uuid-time.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import type { DatabaseOptions } from "../db.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import { personOf } from "../person-of.ts";
import type { Column } from "../print.ts";
import { printDocument, printList } from "../print.ts";
import { requireWhy } from "../read-why.ts";
import { withDecisionLog } from "../with-decision-log.ts";

export interface HoldOptions extends DatabaseOptions {
  readonly why?: string;
}

export interface HoldAddOptions extends HoldOptions {
  readonly decision?: readonly string[];
  readonly agent?: string;
  readonly user?: string;
  readonly server?: string;
  readonly from?: string;
  readonly until?: string;
}

/** Holds what is named. */
export async function addHoldCommand(io: CliIo, options: HoldAddOptions): Promise<void> {
  const wish = { by: personOf(io), why: requireWhy(options.why, "a hold") };
  const scope = readScope(options);
  const hold = await withHolds(io, options, (hands, store) => addHold(hands, store, scope, wish));
  if (options.output !== "table") return printDocument(io, options.output, hold);
  io.out(`${hold.hold_id} holds ${holdText(hold)}`);
}

/** Prints all of them. */
export async function listHolds(io: CliIo, options: HoldOptions): Promise<void> {
  const { config } = loadConfigFor(io, options.config);
  const holds = await withStoreOf(io, config, (store) => store.list());
  printList(io, options.output, holds, columns);
  if (holds.length === 0 && options.output === "table") io.err("nothing is held");
}

/** Lifts one. */
export async function liftHoldCommand(io: CliIo, id: string, options: HoldOptions): Promise<void> {
  const wish = { by: personOf(io), why: requireWhy(options.why, "lifting a hold") };
  const hold = await withHolds(io, options, (hands, store) => liftHold(hands, store, id, wish));
  if (options.output !== "table") return printDocument(io, options.output, hold);
  io.out(`${hold.hold_id} does not hold ${holdText(hold)} any more`);
}

function readScope(options: HoldAddOptions): HoldScope {
  const nowMs = systemClock.nowMs();
  const time = (text: string | undefined): string | null =>
    text === undefined ? null : new Date(parseTime(text, nowMs)).toISOString();
  const ids = options.decision?.map((id) => id.toLowerCase()) ?? null;
  const strange = ids?.find((id) => !isUuid(id));
  if (strange !== undefined) {
    throw new CliError(exitCodes.usage, `expected --decision to be a whole id, found "${strange}"`);
  }
  const { agent = null, user = null, server = null } = options;
  const times = { from: time(options.from), until: time(options.until) };
  const scope = { decision_ids: ids, agent, user, server, ...times };
  if (Object.values(scope).some((value) => value !== null)) return scope;
  const message =
    "expected what to hold: --decision, --agent, --user, --server, --from or --until, found none of them";
  throw new CliError(exitCodes.usage, message);
}

async function withHolds<Result>(
  io: CliIo,
  options: HoldOptions,
  work: (hands: HoldHands, store: HoldStore) => Promise<Result>,
): Promise<Result> {
  const { config } = loadConfigFor(io, options.config);
  const { tenant } = config;
  return await withStoreOf(io, config, (store) =>
    withDecisionLog(io, { config, stateDir: stateDirOf(io) }, (log) => {
      const note: HoldHands["note"] = (record) => log.note(record);
      return work({ tenant, clock: systemClock, newId, note }, store);
    }),
  );
}

async function withStoreOf<Result>(
  io: CliIo,
  { decisions }: GatewayConfig,
  use: (store: HoldStore) => Promise<Result>,
): Promise<Result> {
  const { store: kind } = decisions;
  const store = await openHolds({ stateDir: stateDirOf(io), store: kind, clock: systemClock });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

const columns: readonly Column<Hold>[] = [
  { title: "SINCE", cell: ({ held_at }) => held_at },
  { title: "HOLDS", cell: holdText },
  { title: "BY", cell: ({ held_by }) => held_by },
  { title: "WHY", cell: ({ why }) => why },
  { title: "ID", cell: ({ hold_id }) => hold_id },
];
