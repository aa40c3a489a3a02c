/**
 * One shadow: a bundle, with all other layers as they decide, in a thread of its own. It is put in the
 * place of the policy that it stands beside and asked what that one was asked, by the same steps. It
 * says what it would have done to whoever asks; it decides nothing.
 */
import type { Bundle, BundleActivation } from "../../contract/bundle.ts";
import { messageOf } from "../../errors.ts";
import type { EngineLayer, PolicyEngine } from "../../policy/engine/policy-engine.ts";
import type { Action, Decided, Target } from "../action/action.ts";
import type { DecidingParts } from "../action/decide.ts";
import { decide } from "../action/decide.ts";

export interface ShadowPolicyOptions {
  /** Server id or layer name. */
  readonly layer: string;
  readonly openEngine: () => PolicyEngine;
  /** What a decision with this engine needs. */
  readonly partsFor: (engine: PolicyEngine) => DecidingParts;
}

/** What a shadow was asked. */
export interface ShadowedAction {
  readonly action: Action;
  readonly target: Target;
  /** With an input; as it was recorded. */
  readonly decided: Decided;
}

/** What it would have been; `undefined` where that cannot be said any more. */
export type ShadowAnswer =
  | { readonly bundle: Pick<Bundle, "revision" | "digest" | "kind">; readonly would: Decided }
  | undefined;

/** The engine is opened with the first bundle; `close` ends it. */
export class ShadowPolicy {
  readonly #options: ShadowPolicyOptions;
  #parts: DecidingParts | undefined;
  #layers: readonly EngineLayer[];
  #bundle: Bundle | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ShadowPolicyOptions, layers: readonly EngineLayer[]) {
    this.#options = options;
    this.#layers = layers;
  }

  /** The shadow of the moment. */
  get bundle(): Bundle | undefined {
    return this.#bundle;
  }

  /** Asks another bundle from now on, or none; the one before stays where the next cannot be used. */
  async use(bundle: Bundle | undefined): Promise<BundleActivation> {
    return await this.#take(() => this.#load(bundle));
  }

  /** Other bundles decide: the shadow is asked among those. */
  async among(layers: readonly EngineLayer[]): Promise<void> {
    this.#layers = layers;
    await this.#take(() => this.#load(this.#bundle));
  }

  /** What would have become of an action. */
  async ask({ action, target, decided }: ShadowedAction): Promise<ShadowAnswer> {
    const [parts, bundle] = [this.#parts, this.#bundle];
    if (parts === undefined || bundle === undefined || decided.input === undefined) {
      return undefined;
    }
    const would = await decide(parts, action, target, decided.input);
    const isSame =
      bundle === this.#bundle && isSameSet({ name: this.#options.layer, bundle }, decided, would);
    return isSame ? { bundle, would } : undefined;
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#parts?.engine.close();
  }

  #take<Result>(step: () => Promise<Result>): Promise<Result> {
    const taken = this.#turn.then(step);
    this.#turn = taken.catch(() => undefined);
    return taken;
  }

  async #load(bundle: Bundle | undefined): Promise<BundleActivation> {
    if (bundle === undefined) {
      this.#bundle = undefined;
      return { ok: true };
    }
    const { layer: name, openEngine, partsFor } = this.#options;
    const parts = (this.#parts ??= partsFor(openEngine()));
    const wanted = this.#layers.map((layer) =>
      layer.name === name ? { ...layer, bundle, fallback: this.#bundle } : layer,
    );
    try {
      const results = await parts.engine.activate(wanted);
      parts.visibility.forget();
      const result = results.find((one) => one.layer === name);
      if (result?.ok === false) {
        const { code, message } = result.error;
        return { ok: false, code, message };
      }
      this.#bundle = bundle;
      return { ok: true };
    } catch (thrown) {
      return { ok: false, code: "policy_worker_lost", message: messageOf(thrown) };
    }
  }
}

/**
 * Layers may have moved on since: what differs then is not the shadow's doing. Where it hides what was
 * asked for, only those were asked that have a say about that.
 */
function isSameSet(
  { name, bundle }: { readonly name: string; readonly bundle: Bundle },
  was: Decided,
  would: Decided,
): boolean {
  const now = new Map(would.verdicts.map(({ layer }) => [layer.name, layer.digest]));
  return was.verdicts.every(({ layer }) => {
    const digest = now.get(layer.name);
    const expected = layer.name === name ? bundle.digest : layer.digest;
    if (digest === expected) return true;
    return digest === undefined && would.combined.hidden;
  });
}
