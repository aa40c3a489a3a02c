/**
 * A lane is a worker that holds one set of layers. Opening one loads layer after layer under a
 * deadline of its own, since a module's start function already runs the policy author's code; a
 * layer that ends the thread is left out and the thread is started again without it.
 */
import type { LayerIdentity } from "../../contract/layer.ts";
import { EngineError } from "./engine-error.ts";
import type { WorkerLayer } from "./engine-protocol.ts";
import { PolicyWorker } from "./policy-worker.ts";
import type { WorkerOutcome } from "./policy-worker.ts";

/** One place of the set. */
export interface LaneLayer {
  readonly identity: LayerIdentity;
  /** Undefined where the layer has no bundle, or one that could not even be compiled. */
  readonly load: WorkerLayer | undefined;
}

export interface Lane {
  readonly worker: PolicyWorker;
  readonly layers: readonly LaneLayer[];
  /** Layers that are not loaded although they have a bundle, by place. */
  readonly failures: LaneFailures;
}

export type LaneFailures = ReadonlyMap<number, EngineError>;

export interface LaneOptions {
  /** Compiled file of the worker. */
  readonly url: URL;
  readonly inputMaxBytes: number;
  readonly activationDeadlineMs: number;
  /** How long a layer may take for a plain call before it is relied on. */
  readonly latencyLimitMs: number;
}

/**
 * Starts a worker and loads a set into it.
 *
 * @param known Layers that failed before and are not tried again.
 * @throws EngineError `policy_worker_lost` where no worker can be started at all.
 */
export async function openLane(
  options: LaneOptions,
  layers: readonly LaneLayer[],
  known: LaneFailures,
): Promise<Lane> {
  const worker = new PolicyWorker(options);
  await worker.open();
  const failures = new Map(known);
  for (const [index, { load: layer, identity }] of layers.entries()) {
    if (layer === undefined || failures.has(index)) continue;
    const outcome = await worker.ask({ type: "load", index, layer }, options.activationDeadlineMs);
    const failure = failureOf(outcome, identity.name, options.activationDeadlineMs);
    if (failure === undefined) continue;
    failures.set(index, failure);
    if (outcome.type !== "answered") return await openLane(options, layers, failures);
  }
  return { worker, layers, failures };
}

function failureOf(
  outcome: WorkerOutcome,
  layer: string,
  deadlineMs: number,
): EngineError | undefined {
  switch (outcome.type) {
    case "answered": {
      const { reply } = outcome;
      return reply.type === "refused"
        ? new EngineError(reply.code, `layer "${layer}": ${reply.message}`)
        : undefined;
    }
    case "timeout":
      return new EngineError(
        "policy_activation_timeout",
        `layer "${layer}": expected its policy to start within ${deadlineMs} ms, found it running; ` +
          `look for a loop in the module's start function or for very large data`,
      );
    case "crashed":
      return new EngineError(
        "policy_activation_failed",
        `layer "${layer}": expected its policy to start, found that it ended its thread`,
      );
    case "unasked":
      throw new EngineError(
        "policy_worker_lost",
        "expected a policy worker thread to start, found that it ended at once",
      );
  }
}
