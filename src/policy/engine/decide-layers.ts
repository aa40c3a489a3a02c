/**
 * One decision inside a worker: asks the layers in the order of the policy contract and gives each
 * later stage what the earlier ones said. A layer whose answer cannot be read adds nothing. Canaries are
 * asked when all layers have spoken, with the input of their own layer: no layer hears of them.
 */
import type { LayerOutput } from "../../contract/layer.ts";
import { baseName } from "../../contract/layer.ts";
import { assembleInput, usageOf } from "./assemble-input.ts";
import type { Audience, InputFindings } from "./assemble-input.ts";
import type { EvaluationContext } from "./builtin-calls.ts";
import type { DecideReply, DecideRequest, LayerAnswer } from "./engine-protocol.ts";
import { ask, encodeInput } from "./layer-set.ts";
import type { AskedLayers, AskTools, EncodedInput, OpenLayer } from "./layer-set.ts";
import { createNdBuiltinCache } from "./nd-builtin-cache.ts";
import type { LayerReading } from "./read-layer-output.ts";

export type DecidedLayers = Omit<DecideReply, "type" | "evalMs" | "argumentCheck">;

interface Answered {
  readonly layer: OpenLayer;
  readonly reading: LayerReading;
  readonly evalMs: number;
}

interface DecideTools extends AskTools {
  /** One for all layers: what one of them was told by chance, the others are told too. */
  readonly context: EvaluationContext;
}

type AskAll = (
  layers: readonly OpenLayer[],
  audience: Audience,
  findings: InputFindings,
) => readonly Answered[];

const nobodySaid = ["unclassified"];

/** Stages A to D: classes and labels; identity; server, workflow, compliance; overrides. */
export function decideLayers(
  layers: AskedLayers,
  request: DecideRequest,
  askTools: AskTools,
): DecidedLayers {
  const { timeMs, seed } = request;
  const ndBuiltinCache = createNdBuiltinCache(request.ndBuiltinCacheJson);
  const tools = { ...askTools, context: { timeMs, seed, ndBuiltinCache } };
  const askAll = askerOf(request, tools);
  const classified = classify(layers.server, request, tools);
  const identity = askAll(layers.identity, "organisation", classified.findings);

  const findings = { ...classified.findings, layersJson: capabilitiesJson(identity) };
  const server =
    classified.failed ??
    askAll(serverOf(layers), "server", findings).map(longerBy(classified.evalMs));
  const rules = askAll(layers.rules, "organisation", findings);

  const judged = [...identity, ...server, ...rules];
  const denialsJson = readsDenials(layers) ? denialsJsonOf(judged) : undefined;
  const overrides = askAll(layers.overrides, "organisation", { ...findings, denialsJson });

  const findingsFor = ({ layer: { kind } }: OpenLayer): InputFindings => {
    if (kind === "identity") return classified.findings;
    return kind === "overrides" ? { ...findings, denialsJson } : findings;
  };
  const canaries = layers.canaries.flatMap((canary) => {
    const startedMs = performance.now();
    const answered = askAll([canary], audienceOf(canary), findingsFor(canary));
    const evalMs = performance.now() - startedMs;
    return answered.map((one) => ({ ...one, evalMs }));
  });
  const ndBuiltinCacheJson = ndBuiltinCache.toJson();
  const answers = [...judged, ...overrides, ...canaries].map(toAnswer);
  return { ...findings, ndBuiltinCacheJson, answers };
}

function audienceOf({ layer }: OpenLayer): Audience {
  return layer.kind === "server" ? "server" : "organisation";
}

function askerOf(request: DecideRequest, tools: DecideTools): AskAll {
  return (layers, audience, findings) => {
    if (layers.length === 0) return [];
    // Layers differ in nothing but their counters, and most have none.
    const encoded = new Map<string, EncodedInput>();
    const inputFor = ({ layer }: OpenLayer): EncodedInput => {
      const usage = usageOf(request.parts, baseName(layer));
      const text = (): string => assembleInput(request.parts, audience, findings, usage);
      const input = encoded.get(usage) ?? encodeInput(text(), tools.inputMaxBytes);
      encoded.set(usage, input);
      return input;
    };
    return layers.map((layer) => {
      const { decision } = layer.layer.entrypoints;
      const startedMs = performance.now();
      const reading = ask(layer, decision, { ...tools, input: inputFor(layer) });
      return { layer, reading, evalMs: performance.now() - startedMs };
    });
  };
}

interface Classified {
  readonly findings: InputFindings;
  /** The server's layer where classifying failed: its decision is not asked any more. */
  readonly failed: readonly Answered[] | undefined;
  readonly evalMs: number;
}

function classify(
  layer: OpenLayer | undefined,
  request: DecideRequest,
  tools: DecideTools,
): Classified {
  const { dataClasses, labels, detectedClasses = [] } = request.parts;
  const floor = { dataClasses, labels, layersJson: "{}", denialsJson: undefined };
  const entrypoint = layer?.layer.entrypoints.classify;
  if (layer === undefined || entrypoint === undefined) {
    return { findings: withClasses(floor, detectedClasses), failed: undefined, evalMs: 0 };
  }
  const startedMs = performance.now();
  const usage = usageOf(request.parts, layer.layer.name);
  const seen = { ...floor, dataClasses: union(dataClasses, detectedClasses) };
  const text = assembleInput(request.parts, "server", seen, usage);
  const input = encodeInput(text, tools.inputMaxBytes);
  const reading = ask(layer, entrypoint, { ...tools, input });
  const evalMs = performance.now() - startedMs;
  if (reading.ok) {
    const found = withClasses(floor, detectedClasses, reading.output);
    return { findings: found, failed: undefined, evalMs };
  }
  const message = `classifying: ${reading.message}`;
  const failure = { ok: false, code: "policy_error", message } as const;
  const failed = [{ layer, reading: failure, evalMs }];
  return { findings: withClasses(floor, detectedClasses), failed, evalMs };
}

/** Classifying is time of the server's layer too. */
function longerBy(moreMs: number): (answered: Answered) => Answered {
  return (answered) => ({ ...answered, evalMs: answered.evalMs + moreMs });
}

/** What detectors found is no word about the rest: it leaves `unclassified` where it is. */
function withClasses(
  floor: InputFindings,
  detected: readonly string[],
  output?: LayerOutput,
): InputFindings {
  const said = union(floor.dataClasses, output?.dataClasses);
  return {
    ...floor,
    dataClasses: union(said.length === 0 ? nobodySaid : said, detected),
    labels: union(floor.labels, output?.labels),
  };
}

function union(floor: readonly string[], added: readonly string[] = []): readonly string[] {
  return [...new Set([...floor, ...added])].toSorted();
}

/** `input.layers`: what each identity layer that could be read lets the agent be in. */
function capabilitiesJson(identity: readonly Answered[]): string {
  const members = identity.flatMap((answered) => {
    const capabilities = outputOf(answered)?.capabilities;
    return capabilities === undefined ? [] : [[answered.layer.layer.name, { capabilities }]];
  });
  return JSON.stringify(Object.fromEntries(members));
}

function readsDenials({ overrides, canaries }: AskedLayers): boolean {
  return overrides.length > 0 || canaries.some(({ layer }) => layer.kind === "overrides");
}

/** `input.denials`: every rule that refuses so far. */
function denialsJsonOf(judged: readonly Answered[]): string {
  const denials = judged.flatMap((answered) => {
    const bundle = answered.layer.layer.name;
    const denied = outputOf(answered)?.deny ?? [];
    return denied.map(({ rule, code, overridable }) => ({ bundle, rule, code, overridable }));
  });
  return JSON.stringify(denials);
}

function outputOf({ reading }: Answered): LayerOutput | undefined {
  return reading.ok ? reading.output : undefined;
}

function serverOf({ server }: AskedLayers): readonly OpenLayer[] {
  return server === undefined ? [] : [server];
}

function toAnswer({ layer, reading, evalMs }: Answered): LayerAnswer {
  return { index: layer.index, reading, evalMs };
}
