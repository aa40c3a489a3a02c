/**
 * Visibility inside a worker: asks every layer that has something to say about it, once for each
 * list-phase input, so that a whole list costs one round trip. Identity layers are asked about the
 * agents above a sub-agent too, since it may be nowhere where one of those may not.
 */
import type { Capabilities, LayerOutput } from "../../contract/layer.ts";
import type { EvaluationContext } from "./builtin-calls.ts";
import type { LayerAnswer, VisibilityRequest } from "./engine-protocol.ts";
import { ask, encodeInput } from "./layer-set.ts";
import type { AskedLayers, AskTools, OpenLayer } from "./layer-set.ts";
import { createNdBuiltinCache } from "./nd-builtin-cache.ts";
import type { LayerReading } from "./read-layer-output.ts";

type Ask = (layer: OpenLayer, entrypoint: string, text: string) => LayerReading;

const nowhere: Capabilities = { servers: [], tools: [], scopes: [] };

/** One list of answers per input, in their order. */
export function seeLayers(
  layers: AskedLayers,
  { inputs, parentInputs, timeMs, seed }: VisibilityRequest,
  tools: AskTools,
): readonly (readonly LayerAnswer[])[] {
  const { server, identity, rules, overrides, canaries } = layers;
  const servers = server === undefined ? [] : [server];
  const asked = [...identity, ...servers, ...rules, ...overrides, ...canaries];
  return inputs.map((text, place) => {
    const context: EvaluationContext = { timeMs, seed, ndBuiltinCache: createNdBuiltinCache() };
    const askOne: Ask = (layer, entrypoint, input) =>
      ask(layer, entrypoint, { ...tools, input: encodeInput(input, tools.inputMaxBytes), context });
    return asked.flatMap((layer): readonly LayerAnswer[] => {
      const { visibility } = layer.layer.entrypoints;
      if (visibility === undefined) return [];
      const own = askOne(layer, visibility, text);
      const above = layer.layer.kind === "identity" ? (parentInputs[place] ?? []) : [];
      const parents = above.map((input) => askOne(layer, visibility, input));
      return [{ index: layer.index, reading: withParents(own, parents) }];
    });
  });
}

/**
 * What a layer hides from an agent above is hidden from the sub-agent. An agent of which a layer says
 * nothing, where it says something of another, may be nowhere.
 */
function withParents(own: LayerReading, parents: readonly LayerReading[]): LayerReading {
  if (!own.ok || parents.length === 0) return own;
  const above: LayerOutput[] = [];
  for (const reading of parents) {
    if (!reading.ok) return { ...reading, message: `of a parent: ${reading.message}` };
    above.push(reading.output);
  }
  const hide = [own.output, ...above].flatMap((output) => output.hide);
  const isSilent = [own.output, ...above].every(({ capabilities }) => capabilities === undefined);
  if (isSilent) return { ok: true, output: { ...own.output, hide } };
  const parentCapabilities = above.map(({ capabilities }) => capabilities ?? nowhere);
  return { ok: true, output: { ...own.output, hide, parentCapabilities } };
}
