/**
 * How a person changes what decides: first the record, durable, then the history that gateways
 * follow. Where the record cannot be written nothing is changed. A store that is away gets it later,
 * from the spool, by whichever gateway runs next.
 */
import type { BundleHistory } from "../../bundle/life/bundle-history.ts";
import { changeHistory } from "../../bundle/life/bundle-history.ts";
import { newId, systemClock } from "../../config/ambient.ts";
import type { BundleChange, Digest } from "../../contract/bundle.ts";
import type { CliIo } from "../io.ts";
import { personOf } from "../person-of.ts";
import type { OutputFormat } from "../print.ts";
import { printDocument } from "../print.ts";
import { withDecisionLog } from "../with-decision-log.ts";
import type { KeptPlace } from "./policy-place.ts";

/** What a person wants. */
export interface PolicyWish {
  readonly event: BundleChange["event"];
  readonly digest: Digest;
  readonly revision: string;
  readonly signers: readonly string[];
  readonly why: string | null;
  /** Looks again at what it was made for: somebody else may have changed it meanwhile. */
  readonly change: (before: BundleHistory, decision: Decision) => BundleHistory;
}

/** As a history keeps it. */
export interface Decision {
  readonly digest: Digest;
  readonly at: string;
  readonly by: string;
  readonly why: string | null;
}

/**
 * Records a wish, carries it out and prints it.
 *
 * @param output - `table` prints the digest alone
 * @throws DecisionError where it cannot be recorded; BundleError where the history cannot be changed
 */
export async function changePolicy(
  io: CliIo,
  place: KeptPlace,
  { event, digest, revision, signers, why, change }: PolicyWish,
  output: OutputFormat,
): Promise<void> {
  const { config, state, name, kind, policy, key, history } = place;
  const timeMs = systemClock.nowMs();
  const decision = { digest, at: new Date(timeMs).toISOString(), by: personOf(io), why };
  const about = { tenant: config.tenant, layer: name, layerKind: kind, reference: key.reference };
  const previous = history.active?.digest;
  const { by } = decision;
  const decisionId = newId();
  await withDecisionLog(io, { config, stateDir: state.stateDir }, async (log) => {
    const what = { event, digest, previous, revision, by, why, code: null, signers };
    await log.note({ kind: "activation", decisionId, timeMs, ...about, ...what });
    await changeHistory(state, key, (before) => change(before, decision));
  });
  const shown = { name, reference: policy.reference, event, ...decision, revision };
  if (output === "table") io.out(digest);
  else printDocument(io, output, { ...shown, previous: previous ?? null, decision_id: decisionId });
}
