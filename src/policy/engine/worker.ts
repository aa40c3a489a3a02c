/**
 * The worker thread in which policies run and arguments are checked. It holds the instances of one set of layers, answers one
 * request after the other, and writes into shared memory which layer it is running, because a
 * thread that has to be ended cannot say so any more.
 */
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../../errors.ts";
import { createArgumentCheck } from "./check-arguments.ts";
import { decideLayers } from "./decide-layers.ts";
import { EngineError } from "./engine-error.ts";
import { argumentChecking, noLayer, progressCells } from "./engine-protocol.ts";
import type {
  ArgumentCheck,
  AskRequest,
  DecideRequest,
  VisibilityRequest,
  WorkerReply,
  WorkerRequest,
  WorkerStart,
} from "./engine-protocol.ts";
import { layersFor, openLayer } from "./layer-set.ts";
import type { AskedLayers, OpenLayer } from "./layer-set.ts";
import { probeLatency } from "./probe-latency.ts";
import { seeLayers } from "./see-layers.ts";

const start: WorkerStart = workerData;
const progress = new Int32Array(start.progress);
const open = new Map<number, OpenLayer>();
const askedBySelection = new Map<string, AskedLayers>();
const checkArguments = createArgumentCheck();
const tools = { inputMaxBytes: start.inputMaxBytes, onLayer };

/** Loading a layer may wait for a builtin's code; what comes after it waits too. */
let lastReply: Promise<void> = Promise.resolve();
let waiting = 0;

parentPort?.on("message", (request: WorkerRequest) => {
  if (request.type !== "load" && waiting === 0) {
    send(replyTo(request));
    return;
  }
  waiting += 1;
  lastReply = lastReply.then(async () => {
    send(request.type === "load" ? await load(request.index, request.layer) : replyTo(request));
    waiting -= 1;
  });
});

function send(reply: WorkerReply): void {
  onLayer(noLayer);
  Atomics.add(progress, progressCells.finishedRequests, 1);
  parentPort?.postMessage(reply);
}

function replyTo(request: AskRequest): WorkerReply {
  switch (request.type) {
    case "check":
      onLayer(argumentChecking);
      return { type: "checked", argumentCheck: checkArguments(request.check) };
    case "decide": {
      const startedMs = performance.now();
      const decided = decideLayers(layersOf(request), request, tools);
      const evalMs = performance.now() - startedMs;
      return { type: "decided", ...decided, evalMs, argumentCheck: check(request) };
    }
    case "visibility": {
      const answers = seeLayers(layersOf(request), request, tools);
      return { type: "seen", answers };
    }
  }
}

function check(request: DecideRequest): ArgumentCheck | undefined {
  if (request.check === undefined) return undefined;
  onLayer(argumentChecking);
  return checkArguments(request.check);
}

async function load(...[index, layer]: Parameters<typeof openLayer>): Promise<WorkerReply> {
  onLayer(index);
  try {
    const opened = await openLayer(index, layer);
    probeLatency(opened, start.latencyLimitMs);
    open.set(index, opened);
    askedBySelection.clear();
    return { type: "loaded" };
  } catch (thrown) {
    const code = thrown instanceof EngineError ? thrown.code : "policy_activation_failed";
    return { type: "refused", code, message: messageOf(thrown) };
  }
}

/** A server's id has no comma in it, nor has a layer's name. */
function layersOf({ server, unasked }: DecideRequest | VisibilityRequest): AskedLayers {
  const key = [server, ...unasked].join(",");
  const known = askedBySelection.get(key) ?? layersFor(open.values(), server, unasked);
  askedBySelection.set(key, known);
  return known;
}

function onLayer(index: number): void {
  Atomics.store(progress, progressCells.runningLayer, index);
}
