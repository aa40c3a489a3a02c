/**
 * Where holds are: in Postgres beside the records, or, with the embedded store, whose database may be
 * made anew, in a file of the state folder. Nobody prunes while they change.
 */
import { join } from "node:path";
import * as z from "zod/mini";
import type { DecisionsConfig } from "../../config/config.ts";
import type { Clock } from "../../contract/ambient.ts";
import type { Queryable } from "../../database/database.ts";
import { openMigrated } from "../../database/open-migrated.ts";
import { withEmbeddedLock } from "../../database/pglite.ts";
import { readStateFile, writeStateFile } from "../../database/state-file.ts";
import { DecisionError } from "../decision-error.ts";
import type { Hold } from "./hold.ts";
import { holdSchema, parseHold } from "./hold.ts";
import { lockRetention } from "./prune-statements.ts";

const selectHolds = "SELECT document FROM mcp_gateway.legal_hold ORDER BY hold_id";
const insertHold =
  "INSERT INTO mcp_gateway.legal_hold (hold_id, tenant, document) VALUES ($1, $2, $3::jsonb)";
const deleteHold = "DELETE FROM mcp_gateway.legal_hold WHERE hold_id = $1::uuid RETURNING hold_id";

const maxFileBytes = 16 * 1024 * 1024;
const fileSchema = z.object({ version: z.literal(1), holds: z.array(holdSchema) });

export interface HoldStore {
  readonly list: () => Promise<readonly Hold[]>;
  readonly add: (hold: Hold) => Promise<void>;
  /** False where there is none of this id. */
  readonly remove: (id: string) => Promise<boolean>;
  readonly close: () => Promise<void>;
}

export interface HoldPlace {
  readonly stateDir: string;
  readonly store: DecisionsConfig["store"];
  readonly clock: Clock;
}

/** Holds of the store that the configuration names; throws `DatabaseError`. */
export async function openHolds({ stateDir, store, clock }: HoldPlace): Promise<HoldStore> {
  return store.kind === "embedded" ? holdFile(stateDir, clock) : await holdTable(store.url);
}

/** The holds of Postgres, as a transaction that prunes sees them. */
export async function holdsIn(database: Queryable): Promise<readonly Hold[]> {
  const rows = await database.query(selectHolds);
  return rows.map(({ document }) => parseHold(document));
}

/**
 * The holds of a state folder, as whoever has its lock sees them.
 *
 * @throws DecisionError `holds_unusable`, since what cannot be read may hold everything
 */
export async function holdsOf(stateDir: string): Promise<readonly Hold[]> {
  const path = holdPath(stateDir);
  const reading = await readStateFile(path, maxFileBytes);
  if (reading.kind === "absent") return [];
  try {
    if (reading.kind === "text") return fileSchema.parse(JSON.parse(reading.text)).holds;
  } catch (cause) {
    throw unusable(path, "something else in it", cause);
  }
  throw unusable(path, reading.reason, undefined);
}

async function holdTable(url: string): Promise<HoldStore> {
  const database = await openMigrated(url);
  return {
    list: () => holdsIn(database),
    add: (hold) =>
      database.transaction(async (inside) => {
        await inside.query(lockRetention);
        await inside.query(insertHold, [hold.hold_id, hold.tenant, JSON.stringify(hold)]);
      }),
    remove: async (id) => (await database.query(deleteHold, [id])).length > 0,
    close: () => database.close(),
  };
}

function holdFile(stateDir: string, clock: Clock): HoldStore {
  const change = async (step: (holds: readonly Hold[]) => readonly Hold[]): Promise<boolean> =>
    await withEmbeddedLock(stateDir, { clock }, async () => {
      const before = await holdsOf(stateDir);
      const holds = step(before);
      await writeStateFile(holdPath(stateDir), JSON.stringify({ version: 1, holds }));
      return holds.length < before.length;
    });
  return {
    list: () => holdsOf(stateDir),
    add: async (hold) => {
      await change((holds) => [...holds, hold]);
    },
    remove: (id) => change((holds) => holds.filter(({ hold_id }) => hold_id !== id)),
    close: async () => {},
  };
}

function holdPath(stateDir: string): string {
  return join(stateDir, "holds.json");
}

function unusable(path: string, reason: string, cause: unknown): DecisionError {
  const message = `expected the legal holds in ${path}, found: ${reason}; nothing is pruned until it can be read`;
  return new DecisionError("holds_unusable", message, { cause });
}
