/**
 * One replay from the command line: the candidate is opened, what was recorded is read page by page,
 * and what was found is printed.
 */
import { systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import type { PolicyPlace } from "../../config/policy-places.ts";
import type { Bundle } from "../../contract/bundle.ts";
import { parseTime } from "../../decision/parse-time.ts";
import type { History, HistoryFilter } from "../../decision/store/read-history.ts";
import { messageOf } from "../../errors.ts";
import type { ReplayBucket } from "../../replay/replay-buckets.ts";
import { replayHistory } from "../../replay/replay-history.ts";
import type { ReplayConfig } from "../../replay/replay-protocol.ts";
import type { ReplayReport } from "../../replay/replay-report.ts";
import { checkKept } from "../bundle/check-kept.ts";
import { openKeptPlace } from "../bundle/policy-place.ts";
import { loadConfigFor } from "../common-options.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { openCandidate } from "./open-candidate.ts";
import { printReport, summaryOf } from "./print-report.ts";
import { openProgressBar } from "./progress-bar.ts";
import { replacedLayer } from "./replaced-layer.ts";
import { withHistory } from "./with-history.ts";

export interface ReplayOptions {
  readonly config?: string;
  readonly since: string;
  readonly until?: string;
  readonly server?: string;
  readonly layer?: string;
  readonly limit?: number;
  readonly failOn: readonly ReplayBucket[];
  readonly output: OutputFormat | "junit";
}

/** Replays and prints. */
export async function replayCommand(
  io: CliIo,
  text: string,
  options: ReplayOptions,
): Promise<void> {
  const { config } = loadConfigFor(io, options.config);
  const wanted = filterOf(options);
  const candidate = await openCandidate(io, options.config, text);
  const place = replacedLayer(config, candidate, {
    layer: options.layer,
    server: options.server,
  });
  const filter = { ...wanted, server: place.kind === "server" ? place.name : wanted.server };
  const baselines = await baselinesOf(io, options.config, place);
  const startedMs = systemClock.monotonicMs();
  const report = await withHistory(io, options.config, filter, (history) =>
    replay({ io, history, config, candidate, place, baselines }),
  );
  const seconds = Math.max(0.001, (systemClock.monotonicMs() - startedMs) / 1000);
  const { failOn, output, since, until = null } = options;
  const { revision, digest } = candidate;
  const about = { candidate: { revision, digest }, layer: place.name, since, until };
  printReport(io, output, { ...about, server: filter.server ?? null, ...report }, failOn);
  const { decisions, not_asked: notAsked } = report;
  const rate = Math.round((decisions + notAsked) / seconds);
  io.err(`${summaryOf(report)}; ${rate} decisions a second`);
  const isTripped = failOn.some((bucket) => report.buckets[bucket] > 0);
  io.exit(isTripped ? exitCodes.gateTripped : exitCodes.done);
}

function filterOf({ since, until, server, limit }: ReplayOptions): HistoryFilter {
  const nowMs = systemClock.nowMs();
  const untilMs = until === undefined ? undefined : parseTime(until, nowMs);
  return { sinceMs: parseTime(since, nowMs), untilMs, server, limit };
}

interface OneReplay {
  readonly io: CliIo;
  readonly history: History;
  readonly config: GatewayConfig;
  readonly candidate: Bundle;
  readonly place: PolicyPlace;
  readonly baselines: readonly Bundle[];
}

async function replay(wanted: OneReplay): Promise<ReplayReport> {
  const { io, history, config, candidate, place, baselines } = wanted;
  const { name, kind } = place;
  const bar = await openProgressBar(io, history.count);
  try {
    return await replayHistory({
      layer: name,
      candidate,
      defaultEffect: (kind === "server" && config.servers.get(name)?.defaultEffect) || "deny",
      baselines,
      config: replayedConfig(config),
      limits: config.policy,
      history: history.pages(),
      onProgress: bar.show,
    });
  } finally {
    bar.clear();
  }
}

/** What combining looks at; functions and secrets have no business in a thread. */
function replayedConfig(config: GatewayConfig): ReplayConfig {
  const { agents, environment, layers, maxWaivers, notify } = config;
  const servers = [...config.servers].map(
    ([id, { ceiling, tools }]) => [id, { ceiling, tools }] as const,
  );
  return { agents, environment, layers, maxWaivers, notify, servers: new Map(servers) };
}

/** The bundles that decided before, as far as they are here: they vouch for inputs that were masked. */
async function baselinesOf(
  io: CliIo,
  configPath: string | undefined,
  { name, policy }: PolicyPlace,
): Promise<readonly Bundle[]> {
  if (policy === undefined) return [];
  const place = await openKeptPlace(io, configPath, name);
  const { active, previous } = place.history;
  const bundles: Bundle[] = [];
  for (const entry of [active, ...previous].slice(0, mostBaselines)) {
    if (entry === null) continue;
    try {
      bundles.push((await checkKept(io, place, entry)).bundle);
    } catch (thrown) {
      // What is not here vouches for nothing, and that is counted.
      if (io.env["MCP_GATEWAY_LOG"] === "debug") io.err(messageOf(thrown));
    }
  }
  return bundles;
}

const mostBaselines = 5;
