/**
 * Turns bundles into the active set. Everything that can fail does so before the set is replaced: a
 * layer whose new bundle cannot be used keeps its fallback, and one that has none fails every
 * decision until it gets a bundle that can.
 */
import type { Bundle, LayerKind } from "../../contract/bundle.ts";
import { compilePolicy } from "./compiled-policy.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import { EngineError } from "./engine-error.ts";
import type { WorkerLayer } from "./engine-protocol.ts";
import type { LaneLayer } from "./open-lane.ts";
import { namesResults } from "./names-results.ts";
import type { WorkerPool } from "./worker-pool.ts";

export interface EngineLayer {
  /** Config name: the server's id for kind `server`, else the layer's `name`. */
  readonly name: string;
  readonly kind: LayerKind;
  /** Undefined where one is configured and none is active: the layer then answers `no_policy`. */
  readonly bundle: Bundle | undefined;
  /** Takes the place of `bundle` where that one cannot be activated: the one active until now. */
  readonly fallback?: Bundle | undefined;
  /** `allow`: what its policy neither grants nor refuses is granted, where no rule of it grants. */
  readonly defaultEffect?: "deny" | "allow";
  /** Of a canary: the layer beside which it is asked. Without a bundle it says nothing. */
  readonly canaryOf?: string | undefined;
}

/** What became of one layer. */
export type ActivationResult =
  | { readonly layer: string; readonly ok: true; readonly bundle: Bundle | undefined }
  | {
      readonly layer: string;
      readonly ok: false;
      readonly error: EngineError;
      /** True where the fallback is active instead. */
      readonly fallback: boolean;
    };

interface Prepared {
  readonly lane: LaneLayer;
  readonly error: EngineError | undefined;
}

export interface ActivationTools {
  readonly pool: WorkerPool;
  /** Most memory (64 KiB pages) of one instance. */
  readonly maximumPages: number;
  /** Compiled policies, so that a layer that stays the same is not compiled again. */
  readonly compiled: WeakMap<Bundle, Promise<CompiledPolicy>>;
}

/** Replaces the pool's set; answers one result per layer, in their order. */
export async function activateLayers(
  tools: ActivationTools,
  layers: readonly EngineLayer[],
): Promise<readonly ActivationResult[]> {
  const { pool } = tools;
  const errors = new Map<number, EngineError>();
  let chosen = layers;
  for (;;) {
    const prepared = await Promise.all(chosen.map((layer) => prepare(layer, tools)));
    const known = new Map(
      prepared.flatMap(({ error }, place) =>
        error === undefined ? [] : [[place, error] as const],
      ),
    );
    const lane = await pool.prepare(
      prepared.map((layer) => layer.lane),
      known,
    );
    for (const [place, error] of lane.failures) if (!errors.has(place)) errors.set(place, error);
    const next = withFallbacks(chosen, lane.failures);
    if (next === undefined) {
      await pool.use(lane);
      return layers.map((layer, place) =>
        resultOf(layer, errors.get(place), lane.failures.has(place)),
      );
    }
    await lane.worker.close();
    chosen = next;
  }
}

/** The layers with a fallback for each that failed; undefined where none that failed has one. */
function withFallbacks(
  layers: readonly EngineLayer[],
  failures: ReadonlyMap<number, EngineError>,
): readonly EngineLayer[] | undefined {
  const canFallBack = layers.some(({ fallback }, place) => fallback && failures.has(place));
  if (!canFallBack) return undefined;
  return layers.map((layer, place) =>
    layer.fallback && failures.has(place)
      ? { ...layer, bundle: layer.fallback, fallback: undefined }
      : layer,
  );
}

function resultOf(
  layer: EngineLayer,
  error: EngineError | undefined,
  isFailed: boolean,
): ActivationResult {
  if (error === undefined) return { layer: layer.name, ok: true, bundle: layer.bundle };
  return { layer: layer.name, ok: false, error, fallback: !isFailed };
}

async function prepare(layer: EngineLayer, tools: ActivationTools): Promise<Prepared> {
  const { name, kind, bundle, canaryOf } = layer;
  const opaque = bundle?.isOpaque === true ? { opaque: true } : {};
  const beside = canaryOf === undefined ? {} : { canaryOf };
  const stamp = {
    revision: bundle?.revision ?? "",
    digest: bundle?.digest ?? "",
    ...opaque,
    ...beside,
  };
  const lane = { identity: { name, kind, ...stamp }, load: undefined };
  if (bundle === undefined) return { lane, error: undefined };
  try {
    checkKind(layer.kind, bundle);
    const load = await loadOf(layer, bundle, tools);
    return { lane: { ...lane, load }, error: undefined };
  } catch (thrown) {
    if (!(thrown instanceof EngineError)) throw thrown;
    return { lane, error: new EngineError(thrown.code, `layer "${name}": ${thrown.message}`) };
  }
}

async function loadOf(
  { name, kind, defaultEffect = "deny", canaryOf }: EngineLayer,
  bundle: Bundle,
  { maximumPages, compiled }: ActivationTools,
): Promise<WorkerLayer> {
  const { policyPackage, entrypoints, dataJson, wasm, isOpaque = false } = bundle;
  const compiling = compiled.get(bundle) ?? compilePolicy(wasm, maximumPages);
  compiled.set(bundle, compiling);
  const about = { name, kind, policyPackage, entrypoints, dataJson, isOpaque, defaultEffect };
  const readsResults = namesResults(bundle);
  return { ...about, readsResults, canaryOf, compiled: await compiling };
}

function checkKind(expected: LayerKind, bundle: Bundle): void {
  if (bundle.kind === expected) return;
  throw new EngineError(
    "policy_kind_mismatch",
    `expected a bundle of kind "${expected}", found "${bundle.kind}" in its manifest`,
  );
}
