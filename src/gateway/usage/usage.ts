/**
 * Counters and budgets of one gateway. What a call costs is reserved before it is decided, given back
 * where it is not made, and made exact when it has ended. The process keeps what it reserved; one that
 * dies gives nothing back, so what it had reserved counts as used. What a layer counts that is only
 * observed takes part in that, but refuses nothing.
 */
import type { GatewayConfig } from "../../config/config.ts";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { InputParts } from "../../contract/policy-input.ts";
import type { Outcome } from "../../contract/record.ts";
import { messageOf } from "../../errors.ts";
import type { EngineLayer } from "../../policy/engine/policy-engine.ts";
import { costAfter } from "../../policy/usage/call-cost.ts";
import type { CountedCharge } from "../../policy/usage/usage-report.ts";
import { usageByLayer } from "../../policy/usage/usage-report.ts";
import type { UsageStore } from "../../policy/usage/usage-store.ts";
import { isObserved } from "../policies/is-observed.ts";
import { unaskedLayers } from "../policies/unasked-layers.ts";
import { Corrections } from "./corrections.ts";
import type { CountedAction, CountedTarget } from "./counted-call.ts";
import { CountedConversations } from "./counted-conversations.ts";
import type { CountedLayer } from "./counted-layers.ts";
import { countedLayers, hasSay } from "./counted-layers.ts";
import type { ListedTool } from "./idle-patterns.ts";
import { idlePatterns } from "./idle-patterns.ts";
import type { Plan, Planned, Sent } from "./plan-charges.ts";
import {
  conversationOf,
  digestOfArguments,
  isAttempt,
  isKeptBy,
  priceAll,
  problemOf,
  valuesOf,
  wantedOf,
  withCharge,
} from "./plan-charges.ts";

export interface UsageOptions {
  readonly config: GatewayConfig;
  /** Opens the store; asked with the first call that is counted. */
  readonly open: () => Promise<UsageStore>;
  /** The active set; another array whenever another set decides. */
  readonly layers: () => readonly EngineLayer[];
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Log;
  /** What stands for a digest of arguments in a store: short ones could be guessed from it. */
  readonly keyed: (purpose: "counter", digest: string) => string;
}

/** How a call stands with the counters that it belongs to. */
export interface UsageStanding {
  /** The set whose counters were asked. */
  readonly layers: readonly EngineLayer[];
  /** Of the counters that are enforced. */
  readonly counted: readonly CountedCharge[];
  /** `input.usage` by layer. */
  readonly documents: InputParts["usage"];
  /** Why the call may not be made, whatever policy says. */
  readonly refused: CounterRefusal | "state_unavailable" | undefined;
  /** For the client; of `invalid_cost` and `state_unavailable`. */
  readonly problem: string | undefined;
  /** What counters of observed layers would have refused it with. */
  readonly observed: CounterRefusal | undefined;
}

type CounterRefusal = "budget_exhausted" | "invalid_cost";

/** What came of a plan. */
interface Taken {
  readonly counted: readonly CountedCharge[];
  readonly held: Held["taken"];
  readonly refused: CounterRefusal | undefined;
  readonly unpriced: Plan | undefined;
}

const unreadable = "A policy declares counters that cannot be read.";
const storeAway = "Not reached: the store of the counters.";

/** What a call holds until it has ended. */
interface Held {
  readonly sentBytes: number;
  readonly taken: readonly (Planned & { readonly startMs: number })[];
}

export class Usage {
  readonly #options: UsageOptions;
  #store: Promise<UsageStore> | undefined;
  #known: { readonly of: readonly EngineLayer[]; readonly counted: readonly CountedLayer[] };
  readonly #held = new Map<string, Held>();
  readonly #conversations: CountedConversations;
  readonly #corrections: Corrections;
  /** Idle patterns that the log has. */
  readonly #told = new Set<string>();

  constructor(options: UsageOptions) {
    this.#options = options;
    this.#known = { of: [], counted: [] };
    this.#conversations = new CountedConversations(options.clock);
    this.#corrections = new Corrections(() => this.#open(), options.log);
  }

  /** True while the set that a standing was made with decides. */
  isCurrent({ layers }: UsageStanding): boolean {
    return layers === this.#options.layers();
  }

  /** Reserves what an action costs of every counter it belongs to; never rejects. */
  reserve(
    action: CountedAction,
    target: CountedTarget,
    input: InputParts,
  ): UsageStanding | Promise<UsageStanding> {
    // The same action may be decided again, with an approval or by other bundles.
    this.#giveBack(action.decisionId, () => true);
    const layers = this.#options.layers();
    const asked = this.#askedLayers(layers, action, target);
    if (asked.length === 0) return uncounted(layers);
    if (asked.some(({ isReadable }) => !isReadable)) return uncounted(layers, unreadable);
    return this.#chargeSafely(layers, asked, action, target, input);
  }

  async #chargeSafely(
    layers: readonly EngineLayer[],
    asked: readonly CountedLayer[],
    ...[action, target, input]: Parameters<Usage["reserve"]>
  ): Promise<UsageStanding> {
    try {
      return { layers, ...(await this.#charge(asked, action, target, input)) };
    } catch (thrown) {
      this.#options.log.error({ reason: messageOf(thrown) }, "counters not reached");
      return uncounted(layers, storeAway);
    }
  }

  /** Warns of patterns of counters that fit no tool of a list, of each once. */
  lookAtTools(tools: readonly ListedTool[]): void {
    for (const idle of idlePatterns(this.#countedLayers(this.#options.layers()), tools)) {
      const name = JSON.stringify(idle);
      if (this.#told.has(name)) continue;
      this.#told.add(name);
      this.#options.log.warn(idle, "a counter names no tool of its server");
    }
  }

  /** Gives back what a call that was not made had reserved; attempts stay counted. */
  release(decisionId: string): void {
    this.#giveBack(decisionId, ({ charge }) => !charge.isAttempt);
  }

  /** Makes exact what a call took, once it has ended; `resultBytes` where any came. */
  settle(decisionId: string, outcome: Outcome, resultBytes: number | undefined): void {
    if (outcome === "not_forwarded") return this.release(decisionId);
    const held = this.#held.get(decisionId);
    this.#held.delete(decisionId);
    if (held === undefined) return;
    this.#corrections.add(
      held.taken.map(({ declaration, charge, startMs }) => {
        const cost = costAfter(declaration.cost, charge.amount, held.sentBytes, resultBytes);
        return { key: charge.key, startMs, delta: cost - charge.amount };
      }),
    );
  }

  async close(): Promise<void> {
    await this.#corrections.close();
    const store = await this.#store?.catch(() => undefined);
    await store?.close();
  }

  #askedLayers(
    layers: readonly EngineLayer[],
    { principal }: CountedAction,
    target: CountedTarget,
  ): readonly CountedLayer[] {
    const counted = this.#countedLayers(layers);
    if (counted.length === 0) return counted;
    const unasked = unaskedLayers(this.#options.config, principal.agent, target.server.id);
    return counted.filter((layer) => hasSay(layer, target.server.id, unasked));
  }

  #countedLayers(layers: readonly EngineLayer[]): readonly CountedLayer[] {
    if (this.#known.of !== layers) this.#known = { of: layers, counted: countedLayers(layers) };
    return this.#known.counted;
  }

  /** Takes what is enforced, and what is only observed where nothing of that stands in the way. */
  async #charge(
    asked: readonly CountedLayer[],
    action: CountedAction,
    target: CountedTarget,
    input: InputParts,
  ): Promise<Omit<UsageStanding, "layers">> {
    const watched = new Set(
      asked
        .filter((layer) => isObserved(this.#options.config, layer, action.timeMs))
        .map(({ name }) => name),
    );
    const sent = { bytes: bytesOf(action), argumentsJson: action.sent["args"] ?? "{}" };
    const plan = await this.#plan(asked, action, target, input, sent);
    const enforced = await this.#take(plan.filter(({ layer }) => !watched.has(layer)));
    this.#hold(action.decisionId, sent.bytes, enforced);
    const rest = plan.filter(({ layer }) => watched.has(layer));
    const observed = await this.#take(
      enforced.refused === undefined ? rest : rest.filter(isAttempt),
    );
    this.#hold(action.decisionId, sent.bytes, observed);
    return {
      counted: enforced.counted,
      documents: usageByLayer([...enforced.counted, ...observed.counted]),
      refused: enforced.refused,
      problem: enforced.unpriced && problemOf(enforced.unpriced),
      observed: observed.refused,
    };
  }

  async #plan(
    asked: readonly CountedLayer[],
    { principal }: CountedAction,
    target: CountedTarget,
    input: InputParts,
    sent: Sent,
  ): Promise<readonly Plan[]> {
    const wanted = wantedOf(asked, target);
    const own = conversationOf(input);
    const conversation = isKeptBy(wanted, "conversation")
      ? await this.#conversations.current(await this.#open(), principal, own)
      : own;
    const args = isKeptBy(wanted, "args")
      ? this.#options.keyed("counter", digestOfArguments(target, sent))
      : "";
    return priceAll(wanted, valuesOf(principal, target, { conversation, args }), sent);
  }

  /** Where one has no price nothing is taken but attempts. */
  async #take(plan: readonly Plan[]): Promise<Taken> {
    const unpriced = plan.find(({ charge }) => charge === undefined);
    const priced = plan.flatMap(withCharge);
    const wanted = unpriced === undefined ? priced : priced.filter(isAttempt);
    const problem = unpriced === undefined ? undefined : ("invalid_cost" as const);
    if (wanted.length === 0) return { counted: [], held: [], refused: problem, unpriced };
    const store = await this.#open();
    const { isAdmitted, readings } = await store.reserve(wanted.map(({ charge }) => charge));
    const read = wanted.flatMap((one, place) => {
      const reading = readings[place];
      return reading === undefined ? [] : [{ ...one, reading, startMs: reading.startMs }];
    });
    return {
      counted: read.map(({ declaration, ...one }) => ({ ...one, counter: declaration.name })),
      held: isAdmitted ? read : read.filter(isAttempt),
      refused: problem ?? (isAdmitted ? undefined : "budget_exhausted"),
      unpriced,
    };
  }

  #open(): Promise<UsageStore> {
    return (this.#store ??= this.#options.open());
  }

  #hold(decisionId: string, sentBytes: number, { held }: Taken): void {
    if (held.length === 0) return;
    const before = this.#held.get(decisionId)?.taken ?? [];
    this.#held.set(decisionId, { sentBytes, taken: [...before, ...held] });
  }

  #giveBack(decisionId: string, isGiven: (taken: Planned) => boolean): void {
    const held = this.#held.get(decisionId);
    this.#held.delete(decisionId);
    if (held === undefined) return;
    this.#corrections.add(
      held.taken
        .filter(isGiven)
        .map(({ charge, startMs }) => ({ key: charge.key, startMs, delta: -charge.amount })),
    );
  }
}

function bytesOf({ sent }: CountedAction): number {
  return Object.values(sent).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

/** Nothing is counted; with a problem, because nobody can. */
function uncounted(layers: readonly EngineLayer[], problem?: string): UsageStanding {
  const refused = problem === undefined ? undefined : "state_unavailable";
  return { layers, counted: [], documents: {}, refused, problem, observed: undefined };
}
