/**
 * The store of counters of a configuration, for one command, and how its keys are written.
 */
import { systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { counterKeyFields } from "../../contract/counter.ts";
import { openUsageStore, usageStoreOptions } from "../../policy/usage/open-usage-store.ts";
import type { UsageStore } from "../../policy/usage/usage-store.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";

export interface UsageContext {
  readonly config: GatewayConfig;
  readonly stateDir: string;
  readonly store: UsageStore;
}

/** Opens, works and closes. */
export async function withUsage<Result>(
  io: CliIo,
  configPath: string | undefined,
  work: (context: UsageContext) => Promise<Result>,
): Promise<Result> {
  const { config } = loadConfigFor(io, configPath);
  const stateDir = stateDirOf(io);
  const options = usageStoreOptions({ config, stateDir, clock: systemClock });
  const store = await openUsageStore(options);
  try {
    return await work({ config, stateDir, store });
  } finally {
    await store.close();
  }
}

/**
 * The values that `--key` gives.
 *
 * @throws CliError usage
 */
export function readKey(pairs: readonly string[]): Readonly<Record<string, string>> {
  const fields: readonly string[] = counterKeyFields;
  const entries = pairs.map((pair) => {
    const [, field = "", value = ""] = /^([a-z]+)=(.+)$/s.exec(pair) ?? [];
    if (fields.includes(field)) return [field, value] as const;
    throw new CliError(
      exitCodes.usage,
      `expected --key FIELD=VALUE with one of ${fields.join(", ")}, found "${pair}"`,
    );
  });
  return Object.fromEntries(entries);
}
