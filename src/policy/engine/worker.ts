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
  DecideRequest,
  WorkerReply,
  WorkerRequest,
  WorkerStart,
} from "./engine-protocol.ts";
import { layersFor, openLayer } from "./layer-set.ts";
import type { AskedLayers, OpenLayer } from "./layer-set.ts";
import { seeLayers } from "./see-layers.ts";

const start: WorkerStart = workerData;
const progress = new Int32Array(start.progress);
const open = new Map<number, OpenLayer>();
const askedByServer = new Map<string, AskedLayers>();
const checkArguments = createArgumentCheck();
const tools = { inputMaxBytes: start.inputMaxBytes, onLayer };

parentPort?.on("message", (request: WorkerRequest) => {
  const reply = replyTo(request);
  onLayer(noLayer);
  Atomics.add(progress, progressCells.finishedRequests, 1);
  parentPort?.postMessage(reply);
});

function replyTo(request: WorkerRequest): WorkerReply {
  switch (request.type) {
    case "load":
      return load(request.index, request.layer);
    case "decide": {
      const startedMs = performance.now();
      const decided = decideLayers(layersOf(request.server), request, tools);
      const evalMs = performance.now() - startedMs;
      return { type: "decided", ...decided, evalMs, argumentCheck: check(request) };
    }
    case "visibility": {
      const answers = seeLayers(layersOf(request.server), request, tools);
      return { type: "seen", answers };
    }
  }
}

function check(request: DecideRequest): ArgumentCheck | undefined {
  if (request.check === undefined) return undefined;
  onLayer(argumentChecking);
  return checkArguments(request.check);
}

function load(...[index, layer]: Parameters<typeof openLayer>): WorkerReply {
  onLayer(index);
  try {
    open.set(index, openLayer(index, layer));
    askedByServer.clear();
    return { type: "loaded" };
  } catch (thrown) {
    const code = thrown instanceof EngineError ? thrown.code : "policy_activation_failed";
    return { type: "refused", code, message: messageOf(thrown) };
  }
}

function layersOf(server: string): AskedLayers {
  const known = askedByServer.get(server) ?? layersFor(open.values(), server);
  askedByServer.set(server, known);
  return known;
}

function onLayer(index: number): void {
  Atomics.store(progress, progressCells.runningLayer, index);
}
