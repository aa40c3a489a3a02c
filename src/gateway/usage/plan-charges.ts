/**
 * What a call would take of which counters: the values of their keys and the price, before anything
 * is reserved.
 */
import { canonicalJson } from "../../contract/canonical-json.ts";
import type { CounterDeclaration, CounterKeyField } from "../../contract/counter.ts";
import { isRecord } from "../../contract/json.ts";
import type { InputParts } from "../../contract/policy-input.ts";
import type { Principal } from "../../contract/principal.ts";
import { sha256Of } from "../../contract/sha256.ts";
import { costBefore } from "../../policy/usage/call-cost.ts";
import type { KeyValues } from "../../policy/usage/counter-key.ts";
import { counterKey } from "../../policy/usage/counter-key.ts";
import { slotsOf } from "../../policy/usage/slots.ts";
import type { Charge } from "../../policy/usage/usage-store.ts";
import { toMillionths } from "../../policy/usage/usage-store.ts";
import type { CountedTarget } from "./counted-call.ts";
import type { CountedLayer } from "./counted-layers.ts";
import { isCounted } from "./counted-layers.ts";

/** One counter of one call, and what the call takes of it. */
export interface Planned {
  readonly layer: string;
  readonly declaration: CounterDeclaration;
  readonly charge: Charge;
}

/** `charge`: `undefined` where the arguments do not say what it costs. */
export interface Plan extends Omit<Planned, "charge"> {
  readonly charge: Charge | undefined;
}

/** What is sent, as costs see it. */
export interface Sent {
  readonly bytes: number;
  readonly argumentsJson: string;
}

/** A counter that an action belongs to. */
export type Wanted = Pick<Planned, "layer" | "declaration">;

/** The counters of these layers that an action belongs to. */
export function wantedOf(asked: readonly CountedLayer[], target: CountedTarget): readonly Wanted[] {
  return asked.flatMap(({ name: layer, counters }) =>
    counters
      .filter((declaration) => isCounted(declaration, target))
      .map((declaration) => ({ layer, declaration })),
  );
}

/** True where any of them is kept by this field. */
export function isKeptBy(wanted: readonly Wanted[], field: CounterKeyField): boolean {
  return wanted.some(({ declaration }) => declaration.key.includes(field));
}

/** What the fields of keys are for an action. */
export function valuesOf(
  { tenant, user, agent }: Principal,
  target: CountedTarget,
  { conversation, args }: Pick<KeyValues, "conversation" | "args">,
): KeyValues {
  const server = target.server.id;
  const tool = countedTool(target);
  return { tenant, user: user.id, agent: agent.id, server, tool, conversation, args };
}

/**
 * Digest of what an action asks with (RFC 8785), the same however its JSON is written. Without a tool
 * what it names belongs to that: a URI is an argument too. No store gets it without a key.
 */
export function digestOfArguments({ tool, name }: CountedTarget, { argumentsJson }: Sent): string {
  const args: unknown = JSON.parse(argumentsJson);
  return sha256Of(canonicalJson(tool === undefined ? [name, args] : args));
}

/** What each of them takes. */
export function priceAll(
  wanted: readonly Wanted[],
  values: KeyValues,
  sent: Sent,
): readonly Plan[] {
  return wanted.map(({ layer, declaration }) => {
    const amount = costBefore(declaration.cost, sent);
    return { layer, declaration, charge: chargeOf(layer, declaration, values, amount) };
  });
}

/** None where it has no price. */
export function withCharge({ charge, ...rest }: Plan): readonly Planned[] {
  return charge === undefined ? [] : [{ ...rest, charge }];
}

/** Taken whatever is decided. */
export function isAttempt({ charge }: Plan): boolean {
  return charge?.isAttempt ?? false;
}

/** Why a plan without a price is refused. */
export function problemOf({ layer, declaration: { name } }: Plan): string {
  return `${layer}/${name} counts a number of the arguments, which is not there or below 0`;
}

/** As the input's own facts name it; `""` where they do not. */
export function conversationOf({ contextJson }: InputParts): string {
  const context: unknown = JSON.parse(contextJson);
  const id = isRecord(context) ? context["conversation_id"] : undefined;
  return typeof id === "string" ? id : "";
}

/** Whoever asks chooses URIs and the ids of tasks; without a tool one kind of action is one count. */
function countedTool({ server, tool, action: { type } }: CountedTarget): string {
  return tool?.name ?? `${server.id}/${type}`;
}

function chargeOf(
  layer: string,
  declaration: CounterDeclaration,
  values: KeyValues,
  amount: number | undefined,
): Charge | undefined {
  if (amount === undefined) return undefined;
  return {
    key: counterKey(layer, declaration, values),
    amount,
    limit: toMillionths(declaration.limit),
    slots: slotsOf(declaration),
    isAttempt: declaration.cost.type === "attempts",
  };
}
