/**
 * The policy decision point: takes the active bundles, asks all layers about an action in one round
 * trip to a worker thread, and answers one verdict per layer. It never says yes or no; combining
 * does. A policy that throws, loops, eats memory or talks nonsense is a failed verdict of its layer.
 */
import { randomUUID } from "node:crypto";
import type { PolicyLimits } from "../../config/config.ts";
import type { Bundle } from "../../contract/bundle.ts";
import type { LayerVerdict } from "../../contract/layer.ts";
import type { InputParts } from "../../contract/policy-input.ts";
import { workerUrl } from "../../contract/worker-url.ts";
import { messageOf } from "../../errors.ts";
import { activateLayers } from "./activate-layers.ts";
import type { ActivationResult, EngineLayer } from "./activate-layers.ts";
import { assembleInput } from "./assemble-input.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import type { ArgumentCheck, ArgumentCheckRequest, AskRequest } from "./engine-protocol.ts";
import { isAskedAbout } from "./layer-set.ts";
import {
  argumentCheckOf,
  canaryRuns,
  decisionVerdicts,
  layerTimes,
  visibilityVerdicts,
} from "./layer-verdicts.ts";
import type { CanaryRun, LayerAnswers } from "./layer-verdicts.ts";
import { WorkerPool } from "./worker-pool.ts";
import type { LayerSet } from "./worker-pool.ts";

export type { ActivationResult, CanaryRun, ArgumentCheck, ArgumentCheckRequest, EngineLayer };

export interface Decision {
  /** One per layer that has a say, in the order of the set; failed ones are among them. */
  readonly verdicts: readonly LayerVerdict[];
  /** The document as the organisation's layers of stage C saw it; for the record. */
  readonly inputJson: string;
  readonly dataClasses: readonly string[];
  readonly labels: readonly string[];
  /** Time spent in the worker, all layers together. */
  readonly evalMs: number;
  /** Time of each layer that answered, by its name. */
  readonly layerMs?: Readonly<Record<string, number>> | undefined;
  /** OPA's `nd_builtin_cache`, for the record; undefined where no such builtin was called. */
  readonly ndBuiltinCacheJson: string | undefined;
  /** How the canaries did that were asked. */
  readonly canaries: readonly CanaryRun[];
  /** Where one was asked for. A worker that did not answer is a failed check. */
  readonly argumentCheck: ArgumentCheck | undefined;
}

/** What the layers say to one list-phase input: `hide` and `capabilities`, or a failure. */
export interface VisibilityVerdict {
  readonly verdicts: readonly LayerVerdict[];
  readonly canaries: readonly CanaryRun[];
}

export interface PolicyEngine {
  /** Replaces the active set as a whole. A layer that fails is in it, and fails every decision. */
  readonly activate: (layers: readonly EngineLayer[]) => Promise<readonly ActivationResult[]>;
  /**
   * Asks every layer that has a say about an action of `server`, and checks its arguments against
   * their schema, in one message to a worker under one deadline. Never rejects.
   */
  readonly decide: (request: {
    readonly server: string;
    /** Names of layers that are not asked, and so say nothing; default none. */
    readonly unasked?: readonly string[] | undefined;
    readonly parts: InputParts;
    readonly timeMs: number;
    readonly check?: ArgumentCheckRequest | undefined;
    /** What random builtins draw from, the decision's id; default another one each time. */
    readonly seed?: string | undefined;
    /** The `nd_builtin_cache` of the record that is replayed. */
    readonly ndBuiltinCacheJson?: string | undefined;
  }) => Promise<Decision>;
  /** Asks the layers that have a visibility entrypoint; one verdict per input. Never rejects. */
  readonly visibility: (request: {
    readonly server: string;
    readonly unasked?: readonly string[] | undefined;
    readonly inputs: readonly string[];
    /**
     * For each input the same one of every agent above this one: identity layers say of each where
     * it may be. Default none.
     */
    readonly parentInputs?: readonly (readonly string[])[] | undefined;
    readonly timeMs: number;
  }) => Promise<readonly VisibilityVerdict[]>;
  /** True where any layer that has a say about this server has rules about results. */
  readonly judgesResults: (server: string, unasked: readonly string[]) => boolean;
  /** Checks any JSON against a schema, under the deadline of a decision. Never rejects. */
  readonly check: (request: ArgumentCheckRequest) => Promise<ArgumentCheck>;
  /** Answers what was asked and ends the threads. */
  readonly close: () => Promise<void>;
  /** How often a thread was ended, or ended by itself, and another one took its place. */
  readonly restarts?: () => number;
}

/**
 * The deadline is for all layers of one decision together. 64 MB of memory hold 1 MiB of text many
 * times over, and of most structures; the densest (nothing but one-digit numbers) needs more and is
 * denied.
 */
export interface PolicyEngineOptions extends PolicyLimits {
  /** Worker threads in use; default 1. */
  readonly workers?: number;
  /** One more, loaded and waiting for a runaway policy; default true. */
  readonly spare?: boolean;
  /** For instantiating one layer and loading its data; default 5,000. */
  readonly activationDeadlineMs?: number;
}

const pagesPerMb = 16;

/**
 * Makes an engine without layers; the threads start with the first `activate`.
 *
 * @throws Error where the worker's compiled file is missing.
 */
export function createPolicyEngine(options: PolicyEngineOptions): PolicyEngine {
  const { deadlineMs, inputMaxBytes, memoryMaxMb } = options;
  const pool = new WorkerPool({
    url: workerUrl("policy-worker"),
    workers: options.workers ?? 1,
    spare: options.spare ?? true,
    deadlineMs,
    latencyLimitMs: deadlineMs / 2,
    activationDeadlineMs: options.activationDeadlineMs ?? 5000,
    inputMaxBytes,
  });
  const ask = async (request: AskRequest): Promise<LayerAnswers> => {
    const unasked = request.type === "check" ? [] : request.unasked;
    const about = { deadlineMs, unasked };
    try {
      const { outcome, lane } = await pool.run(request);
      return { set: lane, outcome, ...about };
    } catch (thrown) {
      const outcome = { type: "unavailable" as const, message: messageOf(thrown) };
      return { ...about, set: pool.set, outcome };
    }
  };
  const compiled = new WeakMap<Bundle, Promise<CompiledPolicy>>();
  let lastActivation: Promise<unknown> = Promise.resolve();
  return {
    activate: async (layers) => {
      const activation = lastActivation.then(() =>
        activateLayers({ pool, maximumPages: memoryMaxMb * pagesPerMb, compiled }, layers),
      );
      lastActivation = activation.catch(() => undefined);
      return await activation;
    },
    decide: async ({ seed = randomUUID(), unasked = [], ...question }) => {
      const { server, parts, check, timeMs, ndBuiltinCacheJson } = question;
      const about = { server, unasked, parts, timeMs, check, seed, ndBuiltinCacheJson };
      const answered = await ask({ type: "decide", ...about });
      const argumentCheck = check === undefined ? undefined : argumentCheckOf(answered);
      const verdicts = decisionVerdicts(answered, server);
      const canaries = canaryRuns(answered, verdicts);
      return { verdicts, canaries, argumentCheck, ...decidedOf(parts, answered) };
    },
    visibility: async ({ server, inputs, parentInputs = [], unasked = [], timeMs }) => {
      const about = { server, inputs, parentInputs, unasked, timeMs };
      const answered = await ask({ type: "visibility", ...about, seed: randomUUID() });
      return inputs.map((_, place) => {
        const verdicts = visibilityVerdicts(answered, server, place);
        return { verdicts, canaries: canaryRuns(answered, verdicts) };
      });
    },
    judgesResults: (server, unasked) => judgesResults(pool.set, server, unasked),
    check: async (check) => argumentCheckOf(await ask({ type: "check", check })),
    close: async () => pool.close(),
    restarts: () => pool.restarts,
  };
}

function judgesResults({ layers }: LayerSet, server: string, unasked: readonly string[]): boolean {
  return layers.some(
    ({ identity, load }) =>
      load !== undefined && load.readsResults !== false && isAskedAbout(identity, server, unasked),
  );
}

function decidedOf(
  parts: InputParts,
  answered: LayerAnswers,
): Omit<Decision, "verdicts" | "canaries" | "argumentCheck"> {
  const { outcome } = answered;
  const decided =
    outcome.type === "answered" && outcome.reply.type === "decided"
      ? outcome.reply
      : {
          dataClasses: parts.dataClasses,
          labels: parts.labels,
          layersJson: "{}",
          ndBuiltinCacheJson: undefined,
          evalMs: 0,
        };
  const { dataClasses, labels, layersJson, ndBuiltinCacheJson, evalMs } = decided;
  const findings = { dataClasses, labels, layersJson, denialsJson: undefined };
  const inputJson = assembleInput(parts, "organisation", findings);
  const layerMs = layerTimes(answered);
  return { inputJson, dataClasses, labels, ndBuiltinCacheJson, evalMs, layerMs };
}
