/**
 * Visibility inside a worker: asks every layer that has something to say about it, once for each
 * list-phase input, so that a whole list costs one round trip.
 */
import type { LayerAnswer, VisibilityRequest } from "./engine-protocol.ts";
import { ask, encodeInput } from "./layer-set.ts";
import type { AskedLayers, AskTools } from "./layer-set.ts";

/** One list of answers per input, in their order. */
export function seeLayers(
  layers: AskedLayers,
  { inputs, timeMs }: VisibilityRequest,
  tools: AskTools,
): readonly (readonly LayerAnswer[])[] {
  const { server, identity, rules, overrides } = layers;
  const asked = [...identity, ...(server === undefined ? [] : [server]), ...rules, ...overrides];
  return inputs.map((text) => {
    const input = encodeInput(text, tools.inputMaxBytes);
    return asked.flatMap((layer): readonly LayerAnswer[] => {
      const { visibility } = layer.layer.entrypoints;
      if (visibility === undefined) return [];
      const reading = ask(layer, visibility, { ...tools, input, timeMs });
      return [{ index: layer.index, reading }];
    });
  });
}
