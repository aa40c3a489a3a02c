/**
 * Loads the bundle of every server and layer and makes them the active set. A bundle that fails a
 * check is never asked for a decision: its server, or with an organisation's layer every call, is
 * denied with `no_policy` until it is there.
 */
import type { GatewayConfig, PolicySource } from "../config/config.ts";
import type { Log } from "../contract/ambient.ts";
import type { Bundle, LayerKind } from "../contract/bundle.ts";
import type { EngineLayer, PolicyEngine } from "../policy/engine/policy-engine.ts";

/** Loads one bundle; a failure is a value with a code and a sentence. */
export type LoadBundle = (
  name: string,
  kind: LayerKind,
  reference: string,
) => Promise<
  | { readonly ok: true; readonly bundle: Bundle }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } }
>;

/** Resolves when the set is active, whatever failed; failures are logged by layer. */
export async function loadPolicies(
  config: GatewayConfig,
  engine: PolicyEngine,
  load: LoadBundle,
  log: Log,
): Promise<void> {
  const layers = await Promise.all(
    wantedLayers(config).map((wanted) => loadLayer(wanted, load, log)),
  );
  for (const result of await engine.activate(layers)) {
    const { layer } = result;
    if (!result.ok) {
      const { code, message: reason } = result.error;
      log.error({ layer, code, reason }, "policy bundle not activated; its calls are denied");
    } else if (result.bundle !== undefined) {
      const { revision, digest, origin } = result.bundle;
      log.info({ layer, revision, digest, origin }, "policy bundle active");
    }
  }
}

interface WantedLayer {
  readonly name: string;
  readonly kind: LayerKind;
  readonly policy: PolicySource | undefined;
}

function wantedLayers(config: GatewayConfig): readonly WantedLayer[] {
  const servers = [...config.servers.values()].filter((server) => !server.disabled);
  return [
    ...servers.map(({ id, policy }) => ({ name: id, kind: "server", policy }) as const),
    ...config.layers.map(({ name, kind, policy }) => ({ name, kind, policy })),
  ];
}

async function loadLayer(
  { name, kind, policy }: WantedLayer,
  load: LoadBundle,
  log: Log,
): Promise<EngineLayer> {
  if (policy === undefined) {
    log.warn({ layer: name }, "server has no policy; its calls are denied");
    return { name, kind, bundle: undefined };
  }
  const loaded = await load(name, kind, policy.reference);
  if (loaded.ok) {
    if (loaded.bundle.metadata["name"] === undefined) {
      log.warn({ layer: name }, "policy bundle has no name of its own and would fit any server");
    }
    return { name, kind, bundle: loaded.bundle };
  }
  const { code, message: reason } = loaded.error;
  log.error({ layer: name, code, reason }, "policy bundle not loaded; its calls are denied");
  return { name, kind, bundle: undefined };
}
