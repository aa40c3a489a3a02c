/**
 * Whether it is a canary that denies. The layers without any canary are combined, and then with this
 * one alone, so that of two that deny each is told for itself.
 */
import type { LayerIdentity, LayerVerdict } from "../../contract/layer.ts";
import type { CombinedDecision, CombineRequest } from "../../policy/combine.ts";

/** True where the layers would not deny, and this canary beside them does; a hold is no denial. */
export function isDueTo(
  canary: LayerIdentity,
  request: CombineRequest,
  combine: (request: CombineRequest) => CombinedDecision,
): boolean {
  const denies = (verdicts: readonly LayerVerdict[]): boolean =>
    isDenied(combine({ ...request, verdicts }));
  return !denies(withCanary(request.verdicts)) && denies(withCanary(request.verdicts, canary));
}

/** What the layers said, and of the canaries at most one. */
export function withCanary(
  verdicts: readonly LayerVerdict[],
  canary?: LayerIdentity,
): readonly LayerVerdict[] {
  return verdicts.filter(
    ({ layer }) => layer.canaryOf === undefined || layer.name === canary?.name,
  );
}

function isDenied({ answer: { allow, effect } }: CombinedDecision): boolean {
  return !allow && effect === "deny";
}
