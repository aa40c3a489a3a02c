/**
 * The decision log with a counter beside it: everything that is decided passes here, so that nothing
 * else has to know of metrics. Adding happens after the record is durable and holds up nobody.
 */
import type { Clock } from "../../contract/ambient.ts";
import type { AdmissionRecord, DecisionLog, OutcomeRecord } from "../../contract/record.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";

/** Counts what is recorded in `log`. */
export function measuredLog(log: DecisionLog, metrics: GatewayMetrics, clock: Clock): DecisionLog {
  return {
    admit: async (record) => {
      const startedMs = clock.monotonicMs();
      await log.admit(record);
      metrics.decisionSeconds.observe((clock.monotonicMs() - startedMs) / 1000, recordPhase);
      countDecision(metrics, record);
    },
    settle: (record) => {
      countOutcome(metrics, record);
      log.settle(record);
    },
    note: async (record) => {
      await log.note(record);
      if (record.kind === "activation") metrics.bundleEvents.add([record.layer, record.event]);
    },
    close: () => log.close(),
  };
}

const policyPhase = ["policy"];
const decidePhase = ["decide"];
const recordPhase = ["record"];
const layerFailed = ["layer_failed"];

function countDecision(metrics: GatewayMetrics, record: AdmissionRecord): void {
  const { answer, timings, layers } = record;
  const { effect, enforced } = answer;
  const isObserved = !enforced && effect !== "allow";
  const shown = isObserved ? "observed" : effect;
  metrics.decisions.add([record.server, record.tool ?? "", record.actionType, shown]);
  if (effect !== "allow") for (const code of answer.reasons) metrics.reasons.add([code]);
  for (const rule of answer.metadata.matched_rules) metrics.rules.add([rule]);
  metrics.decisionSeconds.observe(timings.policyMs / 1000, policyPhase);
  metrics.decisionSeconds.observe(timings.totalMs / 1000, decidePhase);
  for (const [layer, ms] of Object.entries(timings.layerMs ?? {})) {
    metrics.layerSeconds.observe(ms / 1000, [layer]);
  }
  let isFailed = false;
  for (const verdict of layers) {
    if (verdict.ok) continue;
    // A canary that fails leaves the decision to its layer.
    isFailed ||= verdict.layer.canaryOf === undefined;
    metrics.layerFailures.add([verdict.layer.name, verdict.code]);
  }
  if (isFailed && (answer.allow || isObserved)) metrics.failOpen.add(layerFailed);
}

function countOutcome(metrics: GatewayMetrics, { latencyMs, outcome }: OutcomeRecord): void {
  metrics.callSeconds.observe(latencyMs / 1000, [outcome]);
}
