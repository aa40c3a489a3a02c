/**
 * The set of bundles that decides. Bundles come and go one by one; the set is replaced as a whole,
 * so that each decision is made by one set and calls in flight end on the one they began with.
 * Changes that come while the set is replaced go into the next one together.
 */
import type { Bundle, BundleActivation } from "../../contract/bundle.ts";
import { messageOf } from "../../errors.ts";
import type {
  ActivationResult,
  EngineLayer,
  PolicyEngine,
} from "../../policy/engine/policy-engine.ts";

export interface ActivePoliciesOptions {
  /** In the order in which they are asked; without bundles. */
  readonly layers: readonly EngineLayer[];
  readonly engine: Pick<PolicyEngine, "activate">;
  /** Another set decides. */
  readonly onChange: () => void;
}

interface Change {
  readonly bundle: Bundle | undefined;
  readonly resolve: (activation: BundleActivation) => void;
}

/** How long the first set waits for the slowest source; it comes with a set of its own then. */
const patienceMs = 10_000;

export class ActivePolicies {
  readonly #options: ActivePoliciesOptions;
  #layers: readonly EngineLayer[];
  readonly #pending = new Map<string, Change>();
  /** Layers of which nothing was heard yet; nobody waits for a canary. */
  readonly #awaited: Set<string>;
  readonly #patience: NodeJS.Timeout;
  #isMade = false;
  #openGate: () => void = () => {};
  readonly #gate: Promise<void>;
  #running: Promise<void>;
  /** Resolves when the first set decides, or could not be made. */
  readonly first: Promise<void>;

  constructor(options: ActivePoliciesOptions) {
    this.#options = options;
    this.#layers = options.layers;
    this.#awaited = new Set(
      options.layers.flatMap(({ name, canaryOf }) => (canaryOf === undefined ? [name] : [])),
    );
    this.#gate = new Promise((resolve) => {
      this.#openGate = resolve;
    });
    this.#patience = setTimeout(this.#openGate, patienceMs).unref();
    if (this.#awaited.size === 0) this.#openGate();
    this.#running = this.#gate.then(() => this.#replace());
    this.first = this.#running;
  }

  /** The set that decides; another array with each set. */
  get layers(): readonly EngineLayer[] {
    return this.#layers;
  }

  /** Makes a bundle part of the set, or takes the one of its layer away; resolves when that is so. */
  activate(layer: string, bundle: Bundle | undefined): Promise<BundleActivation> {
    return new Promise((resolve) => {
      this.#pending.set(layer, { bundle, resolve });
      this.heardOf(layer);
      this.#running = this.#running.then(() => this.#replace());
    });
  }

  /** The first set need not wait for this layer any more. */
  heardOf(layer: string): void {
    this.#awaited.delete(layer);
    if (this.#awaited.size === 0) this.close();
  }

  /** Waits for nobody any more. */
  close(): void {
    clearTimeout(this.#patience);
    this.#openGate();
  }

  async #replace(): Promise<void> {
    const changes = new Map(this.#pending);
    this.#pending.clear();
    // An earlier set took the changes along.
    if (changes.size === 0 && this.#isMade) return;
    const wanted = this.#layers.map((layer) => changed(layer, changes.get(layer.name)));
    try {
      const results = await this.#options.engine.activate(wanted);
      this.#isMade = true;
      this.#layers = wanted.map((layer, place) => settled(layer, results[place]));
      this.#options.onChange();
      for (const result of results) changes.get(result.layer)?.resolve(activationOf(result));
    } catch (thrown) {
      const failure = {
        ok: false,
        code: "policy_worker_lost",
        message: messageOf(thrown),
      } as const;
      for (const { resolve } of changes.values()) resolve(failure);
    }
  }
}

/** The layer with the bundle that it has now; one that was refused is not tried again by others' sets. */
function settled(
  { fallback, ...layer }: EngineLayer,
  result: ActivationResult | undefined,
): EngineLayer {
  if (result?.ok !== false) return layer;
  return { ...layer, bundle: result.fallback ? fallback : undefined };
}

function changed(layer: EngineLayer, change: Change | undefined): EngineLayer {
  if (change === undefined) return layer;
  return { ...layer, bundle: change.bundle, fallback: change.bundle && layer.bundle };
}

function activationOf(result: ActivationResult): BundleActivation {
  if (result.ok) return { ok: true };
  const { code, message } = result.error;
  return { ok: false, code, message };
}
