/**
 * What policy lets an agent see: one verdict per principal and thing, asked on the list-phase input
 * alone and kept as long as the thing's definition stays the same. List and action use the same
 * verdicts, so that neither arguments nor conversation decide whether something exists.
 */
import { ancestorsOf } from "../config/ancestors.ts";
import type { GatewayConfig } from "../config/config.ts";
import type { Clock } from "../contract/ambient.ts";
import type { GatewayCode, LayerVerdict } from "../contract/layer.ts";
import type { ActionType, AgentIdentity, PolicyAction } from "../contract/policy-input.ts";
import type { Principal } from "../contract/principal.ts";
import { isInScope } from "../contract/principal.ts";
import { isHidden } from "../policy/combine/is-hidden.ts";
import type { PolicyEngine } from "../policy/engine/policy-engine.ts";
import { buildListInput } from "../policy/input/build-input.ts";
import { classify } from "../policy/input/classify.ts";
import type { Canaries } from "./canaries/canaries.ts";
import { withCanary } from "./canaries/is-due-to.ts";

export interface VisibilityOptions {
  readonly config: GatewayConfig;
  readonly engine: PolicyEngine;
  readonly clock: Clock;
  readonly canaries: Canaries;
  /** Of verdicts that are remembered; default 16 Mi. */
  readonly maxCharacters?: number;
}

/** What the layers with a say about visibility said of one thing. */
export interface Sight {
  readonly verdicts: readonly LayerVerdict[];
  /** The document that was judged; for the record. */
  readonly inputJson: string;
  /** False where a rule hides it, where it is outside the capabilities, and where asking failed. */
  readonly isVisible: boolean;
  /** Set where no layer had to be asked. */
  readonly code?: GatewayCode;
}

/** Things asked about at once share one deadline. */
const chunkSize = 50;
/** URIs have no end and are long; the oldest verdicts are asked for anew. */
const maxKnownCharacters = 16 * 1024 * 1024;

/** Remembers what is visible for as long as the active bundles stay. */
export class Visibility {
  readonly #options: VisibilityOptions;
  readonly #known = new Map<string, Sight>();
  /** Of keys and inputs together. */
  #characters = 0;
  #version = 0;

  constructor(options: VisibilityOptions) {
    this.#options = options;
  }

  /** The verdict on one thing, named as the list phase names it. */
  of(principal: Principal, action: PolicyAction): Sight | Promise<Sight> {
    const isSomewhere =
      isInScope(principal, action.server) &&
      ancestorsOf(principal.agent, this.#options.config.agents) !== undefined;
    const known = isSomewhere ? this.#known.get(keyOf(principal, action)) : undefined;
    return known ?? this.#ofOne(principal, action);
  }

  async #ofOne(principal: Principal, action: PolicyAction): Promise<Sight> {
    const [sight] = await this.ofAll(principal, [action]);
    if (sight === undefined) throw new Error("expected one verdict for one action");
    return sight;
  }

  /** One verdict for each thing of one server, in their order. */
  async ofAll(principal: Principal, actions: readonly PolicyAction[]): Promise<readonly Sight[]> {
    const server = actions[0]?.server ?? "";
    const ancestors = ancestorsOf(principal.agent, this.#options.config.agents);
    if (!isInScope(principal, server) || ancestors === undefined) {
      return actions.map((action) => this.#nowhere(principal, action));
    }
    const keys = actions.map((action) => keyOf(principal, action));
    const known = keys.map((key) => this.#known.get(key));
    const unknown = actions.filter((_, index) => known[index] === undefined);
    const asked = new Map<string, Sight>();
    for (let at = 0; at < unknown.length; at += chunkSize) {
      await this.#ask(principal, ancestors, unknown.slice(at, at + chunkSize), asked);
    }
    // What was known is kept here: while the others are asked for it may be forgotten.
    return keys.flatMap((key, index) => known[index] ?? asked.get(key) ?? []);
  }

  async #ask(
    principal: Principal,
    ancestors: readonly AgentIdentity[],
    actions: readonly PolicyAction[],
    asked: Map<string, Sight>,
  ): Promise<void> {
    const { engine, clock, canaries } = this.#options;
    const inputs = actions.map((action) => this.#inputOf(principal, action));
    const parentInputs =
      ancestors.length === 0
        ? []
        : actions.map((action) =>
            ancestors.map((agent) => this.#inputOf({ ...principal, agent }, action)),
          );
    const server = actions[0]?.server ?? "";
    const unasked = canaries.unasked(principal, server);
    const version = this.#version;
    const question = { server, unasked, inputs, parentInputs, timeMs: clock.nowMs() };
    const answers = await engine.visibility(question);
    for (const [index, action] of actions.entries()) {
      const answer = answers[index];
      const verdicts = answer?.verdicts ?? [];
      const inputJson = inputs[index] ?? "{}";
      const isVisible = answer !== undefined && isSeen(principal, action, verdicts);
      canaries.note(principal, answer?.canaries ?? [], (canary) => {
        const isShown = isSeen(principal, action, withCanary(verdicts));
        return isShown && !isSeen(principal, action, withCanary(verdicts, canary));
      });
      const sight: Sight = { verdicts, inputJson, isVisible };
      asked.set(keyOf(principal, action), sight);
      // A failure may pass, so it is asked again; so is what other bundles said.
      const isLasting = version === this.#version && verdicts.every((verdict) => verdict.ok);
      if (answer !== undefined && isLasting) this.#keep(keyOf(principal, action), sight);
    }
  }

  /** Its token names other servers, or nobody knows an agent above it: nothing has to be asked. */
  #nowhere(principal: Principal, action: PolicyAction): Sight {
    const inputJson = this.#inputOf(principal, action);
    return { verdicts: [], inputJson, isVisible: false, code: "outside_capabilities" };
  }

  /** Changes whenever other bundles come to decide. */
  get version(): number {
    return this.#version;
  }

  /** Other bundles decide from now on. */
  forget(): void {
    this.#version += 1;
    this.#known.clear();
    this.#characters = 0;
  }

  #keep(key: string, sight: Sight): void {
    this.#forget(key);
    this.#known.set(key, sight);
    this.#characters += lengthOf(key, sight);
    for (const oldest of this.#known.keys()) {
      if (this.#characters <= (this.#options.maxCharacters ?? maxKnownCharacters)) return;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    const sight = this.#known.get(key);
    if (sight === undefined) return;
    this.#known.delete(key);
    this.#characters -= lengthOf(key, sight);
  }

  #inputOf({ agent, user }: Principal, action: PolicyAction): string {
    const { config } = this.#options;
    const { tool } = action.about;
    const server = config.servers.get(action.server);
    const configured = typeof tool === "string" ? server?.tools.get(tool) : undefined;
    const actor = { agent, user, environment: config.environment };
    return buildListInput(actor, action, classify(configured));
  }
}

/**
 * How patterns of capabilities and ceilings name an action: a tool by its name, everything else
 * with its type in front (`resource_read:file:///x`), so that a pattern for tools never means it.
 */
export function subjectName(type: ActionType, name: string): string {
  return type === "tool_call" || type.startsWith("task_") ? name : `${type}:${name}`;
}

/**
 * A bundle that is not there hides nothing: its calls are denied with the reason. One that is there
 * and cannot answer may have wanted to hide it.
 */
function isSeen(
  { agent }: Principal,
  action: PolicyAction,
  verdicts: readonly LayerVerdict[],
): boolean {
  const { tool, prompt, uri, uri_template: template } = action.about;
  const name = tool ?? prompt ?? uri ?? template;
  const subject = {
    server: action.server,
    tool: subjectName(action.type, typeof name === "string" ? name : ""),
  };
  const isAnswered = verdicts.every((verdict) => verdict.ok || verdict.code === "no_policy");
  return isAnswered && !isHidden(verdicts, { action: subject, scope: agent.scope });
}

/** Groups and classes come from a token and may differ from one to the next of the same principal. */
function keyOf({ key, agent, user }: Principal, action: PolicyAction): string {
  return JSON.stringify([
    key,
    agent,
    user,
    action.type,
    action.server,
    action.about,
    action.definition_digest,
  ]);
}

function lengthOf(key: string, { inputJson }: Sight): number {
  return key.length + inputJson.length;
}
