/**
 * The stores of blocks of a configuration, for one command. No gateway has to run: each looks at
 * these stores by itself.
 */
import { systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import type { BlockFilePlace } from "../../gateway/blocks/block-file.ts";
import type { BlockSource } from "../../gateway/blocks/open-block-stores.ts";
import { openBlockSources } from "../../gateway/blocks/open-block-stores.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import type { CliIo } from "../io.ts";

export interface BlockContext {
  readonly config: GatewayConfig;
  readonly place: BlockFilePlace;
  readonly sources: readonly BlockSource[];
}

/** Opens, works and closes. */
export async function withBlocks<Result>(
  io: CliIo,
  configPath: string | undefined,
  work: (context: BlockContext) => Promise<Result>,
): Promise<Result> {
  const { config } = loadConfigFor(io, configPath);
  const stateDir = stateDirOf(io);
  const place = { stateDir, tenant: config.tenant, clock: systemClock };
  const sources = openBlockSources({ ...place, store: config.decisions.store });
  try {
    return await work({ config, place, sources });
  } finally {
    await Promise.all(sources.map(({ store }) => store.close()));
  }
}
