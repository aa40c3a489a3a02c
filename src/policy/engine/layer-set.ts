/**
 * The layers that a worker holds, and which of them are asked about an action of one server.
 */
import type { LayerIdentity } from "../../contract/layer.ts";
import { baseName } from "../../contract/layer.ts";
import { messageOf } from "../../errors.ts";
import type { EvaluationContext } from "./builtin-calls.ts";
import type { WorkerLayer } from "./engine-protocol.ts";
import { encodeJsonText } from "./json-text.ts";
import { openLayerPolicy } from "./layer-policy.ts";
import type { LayerPolicy } from "./layer-policy.ts";
import { readLayerOutput } from "./read-layer-output.ts";
import type { LayerReading } from "./read-layer-output.ts";

/** A layer with a policy that was instantiated and has its entrypoints. */
export interface OpenLayer {
  readonly index: number;
  readonly layer: WorkerLayer;
  readonly policy: LayerPolicy;
}

/** Layers by stage; one that failed to open, or has no bundle, is not among them. */
export interface AskedLayers {
  readonly server: OpenLayer | undefined;
  readonly identity: readonly OpenLayer[];
  readonly rules: readonly OpenLayer[];
  readonly overrides: readonly OpenLayer[];
  /** Of any kind: each is asked beside its layer, when all others have spoken. */
  readonly canaries: readonly OpenLayer[];
}

/**
 * Opens a layer's policy.
 *
 * @throws EngineError, or whatever the module's start function threw.
 */
export async function openLayer(index: number, layer: WorkerLayer): Promise<OpenLayer> {
  const { decision, classify, visibility } = layer.entrypoints;
  const entrypoints = [decision, classify, visibility].filter((name) => name !== undefined);
  const policy = await openLayerPolicy(
    layer.compiled,
    encodeJsonText(layer.dataJson),
    entrypoints,
    { isFresh: layer.isOpaque ?? false },
  );
  return { index, layer, policy };
}

/**
 * The layers that have a say about an action of `server`, in the order of the set, but for those
 * that are not to be asked.
 */
export function layersFor(
  layers: Iterable<OpenLayer>,
  server: string,
  unasked: readonly string[],
): AskedLayers {
  const open = [...layers]
    .filter(({ layer }) => isAskedAbout(layer, server, unasked))
    .toSorted((left, right) => left.index - right.index);
  const ofKind = (...kinds: readonly string[]): readonly OpenLayer[] =>
    open.filter(({ layer }) => layer.canaryOf === undefined && kinds.includes(layer.kind));
  return {
    server: ofKind("server")[0],
    identity: ofKind("identity"),
    rules: ofKind("workflow", "compliance"),
    overrides: ofKind("overrides"),
    canaries: open.filter(({ layer }) => layer.canaryOf !== undefined),
  };
}

/** Whose say is asked for. A canary is asked where its layer is, unless it is named. */
export function isAskedAbout(
  layer: Pick<LayerIdentity, "name" | "kind" | "canaryOf">,
  server: string,
  unasked: readonly string[],
): boolean {
  const isNamed = unasked.includes(layer.name);
  if (layer.kind !== "server") return !isNamed;
  return baseName(layer) === server && !(layer.canaryOf !== undefined && isNamed);
}

export interface AskTools {
  readonly inputMaxBytes: number;
  /** Told before a layer runs, so that a runaway one can be named. */
  readonly onLayer: (index: number) => void;
}

/** Input as bytes within the cap, or why there are none. */
export type EncodedInput =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly message: string };

/** Encodes one input document; a document over the cap is never judged. */
export function encodeInput(text: string, maxBytes: number): EncodedInput {
  try {
    const bytes = encodeJsonText(text);
    if (bytes.length <= maxBytes) return { ok: true, bytes };
    const message = `expected an input of at most ${maxBytes} bytes, found ${bytes.length}`;
    return { ok: false, message };
  } catch (thrown) {
    return { ok: false, message: messageOf(thrown) };
  }
}

/** Asks one layer and reads its answer; `entrypoint` is one of those it was opened with. */
export function ask(
  { index, layer, policy }: OpenLayer,
  entrypoint: string,
  { input, context, onLayer }: AskTools & { input: EncodedInput; context: EvaluationContext },
): LayerReading {
  if (!input.ok) return { ...input, code: "policy_error" };
  onLayer(index);
  const evaluation = policy.evaluate(entrypoint, input.bytes, context);
  if (!evaluation.ok) return { ...evaluation, code: "policy_error" };
  const isAllowedByDefault =
    layer.defaultEffect === "allow" && entrypoint === layer.entrypoints.decision;
  return readLayerOutput(evaluation.text, { ...layer, entrypoint, isAllowedByDefault });
}
