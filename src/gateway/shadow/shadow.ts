/**
 * A shadow at work: it takes what was decided and recorded, asks its policy when there is time, and
 * records what would have been otherwise. Nothing that it does, and no failure of it, reaches a call.
 */
import type { Clock, Log, NewId } from "../../contract/ambient.ts";
import type { Bundle, BundleActivation } from "../../contract/bundle.ts";
import type { DecisionLog } from "../../contract/record.ts";
import type { EngineLayer } from "../../policy/engine/policy-engine.ts";
import { messageOf } from "../../errors.ts";
import type { Comparison } from "./compare-decisions.ts";
import { compareDecisions } from "./compare-decisions.ts";
import { PatientQueue } from "./patient-queue.ts";
import { ShadowCounts } from "./shadow-counts.ts";
import type { ShadowStanding } from "./shadow-counts.ts";
import type { ShadowAnswer, ShadowedAction, ShadowPolicyOptions } from "./shadow-policy.ts";
import { ShadowPolicy } from "./shadow-policy.ts";

export interface ShadowOptions extends ShadowPolicyOptions {
  /** `compliance~shadow`. */
  readonly name: string;
  /** Of one whole decision. */
  readonly deadlineMs: number;
  readonly decisionLog: Pick<DecisionLog, "note">;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
}

/** So many decisions wait for a shadow. */
const maxWaiting = 64;
const maxWaitingCharacters = 8 * 1024 * 1024;
/** A shadow that runs past the deadline rests for so many of them: it has a processor to itself else. */
const restPerTimeout = 20;

/** One shadow; `close` ends it. */
export class Shadow {
  readonly #options: ShadowOptions;
  readonly #policy: ShadowPolicy;
  readonly #counts = new ShadowCounts();
  readonly #queue: PatientQueue<ShadowedAction>;
  /** Failures that were told, by digest and code. */
  readonly #told = new Set<string>();

  constructor(options: ShadowOptions, layers: readonly EngineLayer[]) {
    this.#options = options;
    this.#policy = new ShadowPolicy(options, layers);
    this.#queue = new PatientQueue({
      maxItems: maxWaiting,
      maxCharacters: maxWaitingCharacters,
      work: (item) => this.#work(item),
      onFailure: (reason) => this.#drop(reason),
    });
  }

  /** Asks another bundle from now on. */
  async use(bundle: Bundle | undefined): Promise<BundleActivation> {
    const activation = await this.#policy.use(bundle);
    this.#counts.begin(this.#policy.bundle);
    return activation;
  }

  /** Other bundles decide. */
  among(layers: readonly EngineLayer[]): void {
    this.#policy.among(layers).catch((thrown: unknown) => {
      const found = { layer: this.#options.name, reason: messageOf(thrown) };
      this.#options.log.error(found, "shadow not brought up to date");
    });
  }

  /** Takes a decision whose record is durable. Returns at once. */
  follow(item: ShadowedAction): void {
    const { verdicts, inputJson } = item.decided;
    if (this.#policy.bundle === undefined) return;
    if (!verdicts.some(({ layer }) => layer.name === this.#options.layer)) return;
    if (!this.#queue.add(item, inputJson.length)) this.#counts.dropped();
  }

  standing(): ShadowStanding {
    const { name, layer: beside } = this.#options;
    return this.#counts.standing({ name, beside }, this.#policy.bundle);
  }

  async close(): Promise<void> {
    await this.#queue.close();
    await this.#policy.close();
  }

  async #work(item: ShadowedAction): Promise<number> {
    const answer = await this.#policy.ask(item);
    if (answer === undefined) {
      this.#counts.dropped();
      return 0;
    }
    const { layer, deadlineMs } = this.#options;
    const comparison = compareDecisions({ layer, was: item.decided, ...answer, deadlineMs });
    this.#counts.evaluated(comparison.difference);
    await this.#record(item, answer, comparison);
    return comparison.code === "policy_timeout" ? restPerTimeout * deadlineMs : 0;
  }

  async #record(
    { action, target }: ShadowedAction,
    { bundle }: NonNullable<ShadowAnswer>,
    { difference, code, was, would }: Comparison,
  ): Promise<void> {
    if (difference === undefined) return;
    const { layer, decisionLog, clock, newId } = this.#options;
    const { tenant, agent, user } = action.principal;
    if (code !== null) this.#tellFailure(bundle, code);
    await decisionLog.note({
      kind: "shadow",
      decisionId: newId(),
      timeMs: clock.nowMs(),
      tenant,
      forDecisionId: action.decisionId,
      server: target.server.id,
      tool: target.tool?.name ?? null,
      agent: agent.id,
      user: user.id,
      layer,
      layerKind: bundle.kind,
      revision: bundle.revision,
      digest: bundle.digest,
      difference,
      code,
      was,
      would,
    });
  }

  /** Once for each bundle: the record has every one of them. */
  #tellFailure({ digest, revision }: NonNullable<ShadowAnswer>["bundle"], code: string): void {
    const key = `${digest} ${code}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const { name: layer, log } = this.#options;
    log.warn({ layer, revision, digest, code }, "shadow gave no answer; calls go on");
  }

  #drop(reason: string): void {
    const { name: layer, log } = this.#options;
    log.error({ layer, reason }, "what a shadow says could not be recorded");
  }
}
