/**
 * Makes verdicts of what a worker answered, or did not: one for every layer that has a say about an
 * action, in the order of the set, so that a layer that is missing, broken or late is never silent.
 */
import type { LayerIdentity, LayerVerdict } from "../../contract/layer.ts";
import type { ArgumentCheck, LayerAnswer } from "./engine-protocol.ts";
import { argumentChecking } from "./engine-protocol.ts";
import { isAskedAbout } from "./layer-set.ts";
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
    isAsked(layer, server, place, asked) ? [verdictOf(asked, { layer, place, answers })] : [],
  );
  const hasServer = verdicts.some(
    ({ layer }) => layer.kind === "server" && layer.canaryOf === undefined,
  );
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
    isAsked(layer, server, place, asked) && layer.load?.entrypoints.visibility !== undefined
      ? [verdictOf(asked, { layer, place, answers })]
      : [],
  );
}

/** How one canary did that was asked, as far as that was its own doing. */
export interface CanaryRun {
  readonly layer: LayerIdentity;
  /** It said nothing that can be read, or the worker ended while it ran. */
  readonly isFailed: boolean;
  /** The worker ended while it ran, so that no layer answered. */
  readonly isEnd: boolean;
  /** `undefined` where it did not come to an end, or nobody measured it. */
  readonly evalMs: number | undefined;
}

/** How canaries did; one that was not reached, because another layer ended the worker, did nothing. */
export function canaryRuns(
  { outcome, set }: LayerAnswers,
  verdicts: readonly LayerVerdict[],
): readonly CanaryRun[] {
  const isEnded = outcome.type === "timeout" || outcome.type === "crashed";
  const culprit = isEnded ? set.layers[outcome.layer]?.identity.name : undefined;
  const isDecided = outcome.type === "answered" && outcome.reply.type === "decided";
  const answers = isDecided ? outcome.reply.answers : [];
  return verdicts.flatMap(({ layer, ok }) => {
    if (layer.canaryOf === undefined) return [];
    if (outcome.type !== "answered" && culprit !== layer.name) return [];
    const place = set.layers.findIndex(({ identity }) => identity.name === layer.name);
    const evalMs = answers.find(({ index }) => index === place)?.evalMs;
    return [{ layer, isFailed: !ok, isEnd: isEnded, evalMs }];
  });
}

/** Milliseconds that each layer took, by its name; of a decision that did not end none. */
export function layerTimes({ outcome, set }: LayerAnswers): Readonly<Record<string, number>> {
  if (outcome.type !== "answered" || outcome.reply.type !== "decided") return {};
  const times: Record<string, number> = {};
  for (const { index, evalMs } of outcome.reply.answers) {
    const name = set.layers[index]?.identity.name;
    if (name !== undefined && evalMs !== undefined) times[name] = evalMs;
  }
  return times;
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

/** A canary that is not there, or cannot be started, leaves the decision to its layer. */
function isAsked(
  { identity, load }: LaneLayer,
  server: string,
  place: number,
  { set, unasked }: LayerAnswers,
): boolean {
  const isIdle = load === undefined || set.failures.has(place);
  if (identity.canaryOf !== undefined && isIdle) return false;
  return isAskedAbout(identity, server, unasked);
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
