/**
 * What conversations have seen and counted, for gateways of several machines: in Redis or Valkey where
 * one is configured, else in the Postgres of the decisions. Nothing is connected before it is needed.
 */
import type { DecisionsConfig } from "../../config/config.ts";
import type { ConversationEntry } from "./sighting.ts";

/** Those of one principal. */
export interface SharedSightings {
  /** Of the vouched conversation with this key, else of everything; rejects where nobody knows. */
  readonly read: (of: string | undefined) => Promise<readonly ConversationEntry[]>;
  /** Resolves once every other reader gets them. */
  readonly write: (entries: readonly ConversationEntry[]) => Promise<void>;
  /** How many vouched conversations were heard of since then. */
  readonly countVouched: (sinceMs: number) => Promise<number>;
}

/** Those of all principals; it owns its connection. */
export interface SightingStore {
  /** Those of the principal with this key. */
  readonly of: (principal: string) => SharedSightings;
  readonly close: () => Promise<void>;
}

/** Longer than anything is remembered, by clocks that need not agree. */
export const keptMs = 24 * 60 * 60 * 1000;

/** Where they are. */
export interface SightingPlace {
  readonly redisUrl: string | undefined;
  readonly decisions: DecisionsConfig["store"];
}

/** Opens the store that is configured; the drivers are loaded here and not before. */
export async function openSightings({
  redisUrl,
  decisions,
}: SightingPlace): Promise<SightingStore> {
  if (redisUrl !== undefined) {
    const { openRedis } = await import("../../database/redis.ts");
    const { openRedisSightings } = await import("./redis-sightings.ts");
    return openRedisSightings(openRedis(redisUrl));
  }
  if (decisions.kind === "embedded") throw new Error("expected a store that can be shared");
  const { url } = decisions;
  const { openMigrated } = await import("../../database/open-migrated.ts");
  const { openPostgresSightings } = await import("./postgres-sightings.ts");
  return openPostgresSightings(() => openMigrated(url, patience));
}

/** Calls wait for it. */
const patience = { connectTimeoutMs: 2_000, queryTimeoutMs: 5_000 } as const;
