/**
 * A policy as a replay asks it: about the recorded input, at the recorded time, with what random
 * builtins answered then. Answers that were read once are not read again.
 */
import { ancestorsOf } from "../config/ancestors.ts";
import { isRecord } from "../contract/json.ts";
import type { LayerVerdict } from "../contract/layer.ts";
import type { EvaluationContext } from "../policy/engine/builtin-calls.ts";
import { encodeInput } from "../policy/engine/layer-set.ts";
import type { AskedLayers, OpenLayer } from "../policy/engine/layer-set.ts";
import { createNdBuiltinCache } from "../policy/engine/nd-builtin-cache.ts";
import { readLayerOutput } from "../policy/engine/read-layer-output.ts";
import type { LayerReading } from "../policy/engine/read-layer-output.ts";
import { seeLayers } from "../policy/engine/see-layers.ts";
import { classify } from "../policy/input/classify.ts";
import type { Classes } from "./layer-document.ts";
import { jsonMembers, toJsonObject } from "../contract/json-members.ts";
import { layerDocument, listDocument, recordedClasses } from "./layer-document.ts";
import { saidText } from "./read-layer-verdict.ts";
import type { RecordedDecision, RecordedLayer } from "./recorded-decision.ts";
import type { ReplayConfig } from "./replay-protocol.ts";

/** What a policy says of a recorded call. */
export interface Replay extends RecordedLayer {
  /** Classes and labels that all layers would have seen. */
  readonly classes: Classes;
  readonly evalMs: number;
}

export interface CandidateOptions {
  readonly config: ReplayConfig;
  readonly inputMaxBytes: number;
}

type Answer = Pick<Replay, "said"> & { readonly reading: LayerReading };

const maxRemembered = 4096;

/** One opened policy, in one thread. */
export class Candidate {
  readonly #options: CandidateOptions;
  readonly #open: OpenLayer;
  readonly #answers = new Map<string, Answer>();

  constructor(open: OpenLayer, options: CandidateOptions) {
    this.#open = open;
    this.#options = options;
  }

  /** Name of the layer in whose place it is asked. */
  get name(): string {
    return this.#open.layer.name;
  }

  /** True where it says anything about what agents see. */
  get hasVisibility(): boolean {
    return this.#open.layer.entrypoints.visibility !== undefined;
  }

  /** Asks about a call; `was`: what its layer said then. */
  decide(recorded: RecordedDecision, was: LayerVerdict): Replay {
    const before = recordedClasses(recorded);
    const startedMs = performance.now();
    const classified = this.#classify(recorded, was, before);
    const { classes } = classified;
    const answer =
      classified.failure ??
      this.#ask(
        recorded,
        this.#open.layer.entrypoints.decision,
        isSame(before, classes) ? undefined : classes,
      );
    const evalMs = performance.now() - startedMs;
    return { verdict: this.#verdict(answer.reading), said: answer.said, classes, evalMs };
  }

  /** Asks whether the agent sees what a recorded call was for; `undefined` where it has no say. */
  see(recorded: RecordedDecision): LayerVerdict | undefined {
    if (!this.hasVisibility) return undefined;
    const { agents, servers } = this.#options.config;
    const tool = servers.get(recorded.server)?.tools.get(recorded.tool ?? "");
    const own = recorded.isList ? recorded.inputText : listDocument(recorded, classify(tool));
    const members = jsonMembers(own);
    const above = ancestorsOf({ parent: parentOf(members.get("agent")) }, agents) ?? [];
    const parents = above.map((agent) =>
      toJsonObject(new Map([...members, ["agent", JSON.stringify(agent)]])),
    );
    return this.#see(own, parents, recorded);
  }

  #see(own: string, parents: readonly string[], { id, timeMs }: RecordedDecision): LayerVerdict {
    const { inputMaxBytes } = this.#options;
    const tools = { inputMaxBytes, onLayer: () => {} };
    const question = { inputs: [own], parentInputs: [parents], timeMs, seed: id };
    const about = { type: "visibility", server: "", unasked: [], ...question } as const;
    const [answers] = seeLayers(this.#alone(), about, tools);
    const reading = answers?.[0]?.reading;
    return this.#verdict(reading ?? { ok: false, code: "no_decision", message: "no answer" });
  }

  #alone(): AskedLayers {
    const { kind } = this.#open.layer;
    const none: AskedLayers = {
      server: undefined,
      identity: [],
      rules: [],
      overrides: [],
      canaries: [],
    };
    return kind === "identity"
      ? { ...none, identity: [this.#open] }
      : { ...none, rules: [this.#open] };
  }

  /** What the bundle adds to what was known without it. */
  #classify(
    recorded: RecordedDecision,
    was: LayerVerdict,
    before: Classes,
  ): { readonly classes: Classes; readonly failure?: Answer } {
    const { layer } = this.#open;
    if (layer.kind !== "server") return { classes: before };
    const { classify: entrypoint } = layer.entrypoints;
    if (entrypoint === undefined && saidNoClass(was) && before.dataClasses.length > 0) {
      return { classes: before };
    }
    const floor = floorOf(before, was);
    if (entrypoint === undefined) return { classes: classesOf(floor, undefined) };
    const answer = this.#ask(recorded, entrypoint, floor);
    if (!answer.reading.ok) return { classes: before, failure: answer };
    return { classes: classesOf(floor, answer.reading.output) };
  }

  #ask(recorded: RecordedDecision, entrypoint: string, classes: Classes | undefined): Answer {
    const { layer, policy } = this.#open;
    const document = layerDocument(recorded, layer, classes);
    const input = encodeInput(document, this.#options.inputMaxBytes);
    if (!input.ok) return failed(input.message);
    const evaluated = policy.evaluate(entrypoint, input.bytes, contextOf(recorded));
    if (!evaluated.ok) return failed(evaluated.message);
    const key = `${entrypoint} ${evaluated.text}`;
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const isAllowedByDefault =
      layer.defaultEffect === "allow" && entrypoint === layer.entrypoints.decision;
    const reading = readLayerOutput(evaluated.text, { ...layer, entrypoint, isAllowedByDefault });
    const answer = { reading, said: saidText(reading) };
    if (this.#answers.size < maxRemembered) this.#answers.set(key, answer);
    return answer;
  }

  #verdict(reading: LayerReading): LayerVerdict {
    const { name, kind } = this.#open.layer;
    return { layer: { name, kind, revision: "", digest: "" }, ...reading };
  }
}

function contextOf({ timeMs, id, ndBuiltinCacheJson }: RecordedDecision): EvaluationContext {
  return { timeMs, seed: id, ndBuiltinCache: createNdBuiltinCache(ndBuiltinCacheJson) };
}

function failed(message: string): Answer {
  const reading = { ok: false, code: "policy_error", message } as const;
  return { reading, said: saidText(reading) };
}

function saidNoClass(was: LayerVerdict): boolean {
  return was.ok && was.output.dataClasses.length === 0 && was.output.labels.length === 0;
}

const nobodySaid = "unclassified";

/** What is known of classes without the bundle. */
interface Floor extends Classes {
  /** Neither operator nor bundle named a class; detectors may have. */
  readonly isUnsaid: boolean;
}

/**
 * What operator and detectors said, as far as the record tells: what its bundle added is taken away.
 * A class that both named goes with it, which can only make the replay find a difference.
 */
function floorOf({ dataClasses, labels }: Classes, was: LayerVerdict): Floor {
  const said: Classes = was.ok ? was.output : { dataClasses: [], labels: [] };
  const added = new Set([...said.dataClasses, nobodySaid]);
  return {
    dataClasses: dataClasses.filter((name) => !added.has(name)),
    labels: labels.filter((name) => !said.labels.includes(name)),
    isUnsaid: dataClasses.includes(nobodySaid),
  };
}

function classesOf(floor: Floor, added: Classes = { dataClasses: [], labels: [] }): Classes {
  const isUnsaid = floor.isUnsaid || floor.dataClasses.length === 0;
  const unsaid = isUnsaid && added.dataClasses.length === 0 ? [nobodySaid] : [];
  return {
    dataClasses: union([...floor.dataClasses, ...unsaid], added.dataClasses),
    labels: union(floor.labels, added.labels),
  };
}

function union(left: readonly string[], right: readonly string[]): readonly string[] {
  return [...new Set([...left, ...right])].toSorted();
}

/** True where both are the same sets; those of a record are in order. */
export function isSame(left: Classes, right: Classes): boolean {
  return (
    left.dataClasses.join("\n") === right.dataClasses.join("\n") &&
    left.labels.join("\n") === right.labels.join("\n")
  );
}

function parentOf(agentText: string | undefined): string | null {
  const agent: unknown = JSON.parse(agentText ?? "{}");
  const parent = isRecord(agent) ? agent["parent"] : null;
  return typeof parent === "string" ? parent : null;
}
