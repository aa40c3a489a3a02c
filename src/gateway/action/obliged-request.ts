/**
 * What a server says while its call runs, under the obligations of that call: progress and log
 * messages are changed as its result will be. Where results are put before policy, words that come
 * before the result are not passed: nobody judged them.
 */
import type { LayerVerdict } from "../../contract/layer.ts";
import type { CallProgress } from "../../contract/progress.ts";
import { isRecord } from "../../contract/json.ts";
import { fulfil } from "../../policy/enforcement/obligations/fulfil.ts";
import type { ChangingDuty } from "../../policy/enforcement/obligations/obligation.ts";
import { findSensitive } from "../../policy/input/detect/find-sensitive.ts";
import type { ActionRequest, ClientNotice } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Allowed } from "./conclude.ts";
import { areResultsJudged } from "./decide-result.ts";
import { isChanging, obligationsOf, openDuties } from "./open-duties.ts";

/** True where words of the server pass only changed, or after they were judged as its result. */
export function isResultGuarded(parts: GatewayParts, allowed: Allowed): boolean {
  const isObliged = obligationsOf(verdictsOf(allowed)).some(({ type }) => type !== "notify");
  return isObliged || areResultsJudged(parts, allowed.action, allowed.target);
}

function verdictsOf({ decided = [] }: Allowed): readonly LayerVerdict[] {
  return decided.flatMap(({ verdicts }) => verdicts);
}

/** The same action, whose client hears what it may. */
export function withObligedEars(parts: GatewayParts, allowed: Allowed): Allowed | Promise<Allowed> {
  return isResultGuarded(parts, allowed) ? obligeEars(parts, allowed) : allowed;
}

async function obligeEars(parts: GatewayParts, allowed: Allowed): Promise<Allowed> {
  const verdicts = verdictsOf(allowed);
  const duties = (await openDuties(parts.config, verdicts)).dutiesOf(verdicts).filter(isChanging);
  const isSilent = areResultsJudged(parts, allowed.action, allowed.target);
  const { onProgress, onNotification } = allowed.request;
  const request: ActionRequest = {
    ...allowed.request,
    onProgress:
      onProgress && ((progress) => onProgress(obligeProgress(progress, duties, isSilent))),
    onNotification: (notice) => {
      const shown = isSilent ? undefined : obligeNotice(notice, duties);
      if (shown !== undefined) onNotification(shown);
    },
  };
  return { ...allowed, request };
}

/** Numbers pass. */
function obligeProgress(
  { message, ...numbers }: CallProgress,
  duties: readonly ChangingDuty[],
  isSilent: boolean,
): CallProgress {
  if (message === undefined || isSilent) return numbers;
  const said = obligeParams({ message }, duties)?.["message"];
  return typeof said === "string" ? { ...numbers, message: said } : numbers;
}

function obligeNotice(
  { method, params }: ClientNotice,
  duties: readonly ChangingDuty[],
): ClientNotice | undefined {
  const shown = obligeParams(params, duties);
  return shown && { method, params: shown };
}

function obligeParams(
  params: ClientNotice["params"],
  duties: readonly ChangingDuty[],
): ClientNotice["params"] | undefined {
  const fulfilled = fulfil(JSON.stringify(params), duties, findSensitive);
  if (!fulfilled.ok) return undefined;
  const shown: unknown = JSON.parse(fulfilled.text);
  return isRecord(shown) ? shown : undefined;
}
