/**
 * Which store keeps the counters: Redis where one is configured, else the Postgres of the decisions,
 * else a journal in the state folder. Nothing is connected or read before something is counted, and
 * drivers are loaded then.
 */
import { join } from "node:path";
import type { DecisionsConfig, GatewayConfig } from "../../config/config.ts";
import type { Clock } from "../../contract/ambient.ts";
import { openMigrated } from "../../database/open-migrated.ts";
import type { UsageStore } from "./usage-store.ts";

export interface UsageStoreOptions {
  readonly tenant: string;
  readonly redisUrl: string | undefined;
  readonly decisions: DecisionsConfig["store"];
  readonly stateDir: string;
  readonly clock: Clock;
}

const timeouts = { connectTimeoutMs: 2_000, queryTimeoutMs: 5_000 };

/** What a configuration says about it. */
export function usageStoreOptions(about: {
  readonly config: GatewayConfig;
  readonly stateDir: string;
  readonly clock: Clock;
}): UsageStoreOptions {
  const { config, stateDir, clock } = about;
  const { tenant, decisions, state } = config;
  return { tenant, redisUrl: state.redisUrl, decisions: decisions.store, stateDir, clock };
}

/** Opens the store that a configuration means. */
export async function openUsageStore(options: UsageStoreOptions): Promise<UsageStore> {
  const { tenant, redisUrl, decisions, stateDir, clock } = options;
  if (redisUrl !== undefined) {
    const { openRedis } = await import("../../database/redis.ts");
    const { openRedisStore } = await import("./redis-store.ts");
    return openRedisStore(openRedis(redisUrl), tenant);
  }
  if (decisions.kind === "postgres") {
    const { openPostgresStore } = await import("./postgres-store.ts");
    return openPostgresStore(() => openMigrated(decisions.url, timeouts));
  }
  const { openJournalStore } = await import("./journal-store.ts");
  return openJournalStore({ folder: join(stateDir, "usage"), clock });
}
