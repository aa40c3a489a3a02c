/**
 * One decision inside a worker: asks the layers in the order of the policy contract and gives each
 * later stage what the earlier ones said. A layer whose answer cannot be read adds nothing.
 */
import type { LayerOutput } from "../../contract/layer.ts";
import { assembleInput } from "./assemble-input.ts";
import type { Audience, InputFindings } from "./assemble-input.ts";
import type { DecideReply, DecideRequest, LayerAnswer } from "./engine-protocol.ts";
import { ask, encodeInput } from "./layer-set.ts";
import type { AskedLayers, AskTools, OpenLayer } from "./layer-set.ts";
import type { LayerReading } from "./read-layer-output.ts";

export type DecidedLayers = Omit<DecideReply, "type" | "evalMs" | "argumentCheck">;

interface Answered {
  readonly layer: OpenLayer;
  readonly reading: LayerReading;
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
  tools: AskTools,
): DecidedLayers {
  const askAll = askerOf(request, tools);
  const classified = classify(layers.server, request, tools);
  const identity = askAll(layers.identity, "organisation", classified.findings);

  const findings = { ...classified.findings, layersJson: capabilitiesJson(identity) };
  const server = classified.failed ?? askAll(serverOf(layers), "server", findings);
  const rules = askAll(layers.rules, "organisation", findings);

  const judged = [...identity, ...server, ...rules];
  const denialsJson = layers.overrides.length > 0 ? denialsJsonOf(judged) : undefined;
  const overrides = askAll(layers.overrides, "organisation", { ...findings, denialsJson });
  return { ...findings, answers: [...judged, ...overrides].map(toAnswer) };
}

function askerOf(request: DecideRequest, tools: AskTools): AskAll {
  return (layers, audience, findings) => {
    if (layers.length === 0) return [];
    const text = assembleInput(request.parts, audience, findings);
    const input = encodeInput(text, tools.inputMaxBytes);
    return layers.map((layer) => {
      const { decision } = layer.layer.entrypoints;
      return {
        layer,
        reading: ask(layer, decision, { ...tools, input, timeMs: request.timeMs }),
      };
    });
  };
}

interface Classified {
  readonly findings: InputFindings;
  /** The server's layer where classifying failed: its decision is not asked any more. */
  readonly failed: readonly Answered[] | undefined;
}

function classify(
  layer: OpenLayer | undefined,
  request: DecideRequest,
  tools: AskTools,
): Classified {
  const { dataClasses, labels } = request.parts;
  const floor = { dataClasses, labels, layersJson: "{}", denialsJson: undefined };
  const entrypoint = layer?.layer.entrypoints.classify;
  if (layer === undefined || entrypoint === undefined) {
    return { findings: withClasses(floor, undefined), failed: undefined };
  }
  const text = assembleInput(request.parts, "server", floor);
  const input = encodeInput(text, tools.inputMaxBytes);
  const reading = ask(layer, entrypoint, { ...tools, input, timeMs: request.timeMs });
  if (reading.ok) return { findings: withClasses(floor, reading.output), failed: undefined };
  const message = `classifying: ${reading.message}`;
  const failure = { ok: false, code: "policy_error", message } as const;
  return { findings: withClasses(floor, undefined), failed: [{ layer, reading: failure }] };
}

function withClasses(floor: InputFindings, output: LayerOutput | undefined): InputFindings {
  const dataClasses = union(floor.dataClasses, output?.dataClasses);
  return {
    ...floor,
    dataClasses: dataClasses.length === 0 ? nobodySaid : dataClasses,
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

function toAnswer({ layer, reading }: Answered): LayerAnswer {
  return { index: layer.index, reading };
}
