/**
 * A thread that replays parts of a history, with an instance of the candidate of its own. It writes
 * into shared memory which record it is at, because a thread that has to be ended cannot say so.
 */
import { parentPort, workerData } from "node:worker_threads";
import { createDutyReader } from "../gateway/action/duties.ts";
import { openLayer } from "../policy/engine/layer-set.ts";
import { Candidate } from "./candidate.ts";
import { RecordReader } from "./recorded-decision.ts";
import type { RecordedDecision } from "./recorded-decision.ts";
import { replayDecision } from "./replay-decision.ts";
import type { ReplayTools } from "./replay-decision.ts";
import type { HistoryRecord, ReplayReply, ReplayRequest, ReplayStart } from "./replay-protocol.ts";
import { replayCells } from "./replay-protocol.ts";
import type { Replayed } from "./replay-tally.ts";
import { emptyTally, TallyBuilder } from "./replay-tally.ts";

const start: ReplayStart = workerData;
const progress = new Int32Array(start.progress);
const reader = new RecordReader();
const { config, deadlineMs, inputMaxBytes } = start;
const open = async (layer: ReplayStart["candidate"]): Promise<Candidate> =>
  new Candidate(await openLayer(0, layer), { config, inputMaxBytes });
const candidate = await open(start.candidate);
const baselines = new Map<string, Candidate>();
for (const [digest, layer] of start.baselines) baselines.set(digest, await open(layer));
const tools: ReplayTools = {
  config,
  candidate,
  baseline: (digest) => baselines.get(digest),
  duties: createDutyReader(config),
  deadlineMs,
};

parentPort?.on("message", ({ records, endless }: ReplayRequest) => {
  const tally = new TallyBuilder();
  for (const [place, record] of records.entries()) {
    Atomics.store(progress, replayCells.place, place);
    tally.add(endless.includes(place) ? timedOut : replay(record), record);
    Atomics.add(progress, replayCells.finished, 1);
  }
  const reply: ReplayReply = { tally: tally.finish() };
  parentPort?.postMessage(reply);
});

const ready: ReplayReply = { tally: emptyTally };
parentPort?.postMessage(ready);

const timedOut: Replayed = {
  kind: "changed",
  bucket: "error",
  rule: null,
  reason: "policy_timeout",
};

function replay({ record }: HistoryRecord): Replayed {
  if (record === null) return notReplayable("pruned");
  const decision = read(record);
  if (decision === undefined) return notReplayable("unreadable");
  return replayDecision(tools, decision);
}

function read(text: string): RecordedDecision | undefined {
  try {
    return reader.read(text);
  } catch {
    return undefined;
  }
}

function notReplayable(reason: string): Replayed {
  return { kind: "changed", bucket: "not_replayable", rule: null, reason };
}
