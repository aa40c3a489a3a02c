/**
 * Makes verdicts of what a worker answered, or did not: one for every layer that has a say about an
 * action, in the order of the set, so that a layer that is missing, broken or late is never silent.
 */
import type { LayerIdentity, LayerVerdict } from "../../contract/layer.ts";
import type { ArgumentCheck, LayerAnswer } from "./engine-protocol.ts";
import { argumentChecking } from "./engine-protocol.ts";
import type { LaneLayer } from "./open-lane.ts";
import type { LayerSet, PoolAnswer } from "./worker-pool.ts";

/** What came back for one request, with the set of layers that its places belong to. */
export interface LayerAnswers {
  readonly set: LayerSet;
  readonly outcome:
    | PoolAnswer["outcome"]
    | { readonly type: "unavailable"; readonly message: string };
  /** The deadline under which the worker was asked. */
  readonly deadlineMs: number;
  /** Names of layers that were not to be asked. */
  readonly unasked: readonly string[];
}

/** One verdict per layer that has a say; a server without a layer is `no_policy`. */
export function decisionVerdicts(asked: LayerAnswers, server: string): readonly LayerVerdict[] {
  const { outcome } = asked;
  const isDecided = outcome.type === "answered" && outcome.reply.type === "decided";
  const answers = isDecided ? outcome.reply.answers : [];
  const verdicts = asked.set.layers.flatMap((layer, place) =>
    isAsked(layer, server, asked) ? [verdictOf(asked, { layer, place, answers })] : [],
  );
  const hasServer = verdicts.some(({ layer }) => layer.kind === "server");
  return hasServer ? verdicts : [...verdicts, noServerLayer(server)];
}

/** Verdicts of the layers that have something to say about the visibility of one input. */
export function visibilityVerdicts(
  asked: LayerAnswers,
  server: string,
  inputPlace: number,
): readonly LayerVerdict[] {
  const { outcome } = asked;
  const isSeen = outcome.type === "answered" && outcome.reply.type === "seen";
  const answers = (isSeen ? outcome.reply.answers[inputPlace] : undefined) ?? [];
  return asked.set.layers.flatMap((layer, place) =>
    isAsked(layer, server, asked) && layer.load?.entrypoints.visibility !== undefined
      ? [verdictOf(asked, { layer, place, answers })]
      : [],
  );
}

/** What became of the check of arguments that was part of a decision. */
export function argumentCheckOf({ outcome, deadlineMs }: LayerAnswers): ArgumentCheck {
  switch (outcome.type) {
    case "answered": {
      const { reply } = outcome;
      const isOfCheck = reply.type === "decided" || reply.type === "checked";
      const check = isOfCheck ? reply.argumentCheck : undefined;
      return check ?? notChecked("policy_error", "the worker said nothing of them");
    }
    case "timeout":
      return notChecked("policy_timeout", `deciding had ${deadlineMs} ms`);
    case "crashed":
      return notChecked("policy_error", "the worker ended");
    case "unavailable":
      return notChecked("policy_error", "no worker can be started");
  }
}

function notChecked(code: "policy_error" | "policy_timeout", why: string): ArgumentCheck {
  return { ok: false, code, message: `the arguments could not be checked: ${why}` };
}

interface AskedLayer {
  readonly layer: LaneLayer;
  readonly place: number;
  readonly answers: readonly LayerAnswer[];
}

function isAsked(
  { identity: { kind, name } }: LaneLayer,
  server: string,
  { unasked }: LayerAnswers,
): boolean {
  return kind === "server" ? name === server : !unasked.includes(name);
}

function verdictOf(
  { set, outcome, deadlineMs }: LayerAnswers,
  { layer: { identity, load }, place, answers }: AskedLayer,
): LayerVerdict {
  const failure = set.failures.get(place);
  if (failure !== undefined) return failed(identity, "policy_error", failure.message);
  if (load === undefined) return failed(identity, "no_policy", "no bundle is active");
  switch (outcome.type) {
    case "answered": {
      const answer = answers.find(({ index }) => index === place);
      if (answer === undefined) return failed(identity, "policy_error", "the layer gave no answer");
      return { layer: identity, ...answer.reading };
    }
    case "timeout": {
      const message = `all layers together had ${deadlineMs} ms; ${culpritOf(set, outcome.layer)} was running`;
      return failed(identity, "policy_timeout", message);
    }
    case "crashed": {
      const message = `the thread ended; ${culpritOf(set, outcome.layer)} was running`;
      return failed(identity, "policy_error", message);
    }
    case "unavailable":
      return failed(identity, "policy_error", outcome.message);
  }
}

function culpritOf({ layers }: LayerSet, place: number): string {
  if (place === argumentChecking) return "the check of arguments";
  return `layer "${layers[place]?.identity.name ?? "none"}"`;
}

type FailureCode = Extract<LayerVerdict, { readonly ok: false }>["code"];

function failed(layer: LayerIdentity, code: FailureCode, message: string): LayerVerdict {
  return { ok: false, layer, code, message };
}

function noServerLayer(server: string): LayerVerdict {
  const layer: LayerIdentity = { name: server, kind: "server", revision: "", digest: "" };
  return failed(layer, "no_policy", "no policy is configured for this server");
}
