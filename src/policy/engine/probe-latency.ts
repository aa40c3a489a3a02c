/**
 * Whether a policy answers in time, before it is relied on: it is asked about a plain call, and one
 * that takes half of what all layers together have is not made active. What it does with other
 * inputs is watched when it is asked about them.
 */
import { EngineError } from "./engine-error.ts";
import { encodeJsonText } from "./json-text.ts";
import type { OpenLayer } from "./layer-set.ts";
import { createNdBuiltinCache } from "./nd-builtin-cache.ts";

/** The first time is the slowest, and a busy machine slows any of them. */
const attempts = 3;

/**
 * Asks an opened layer.
 *
 * @throws EngineError `policy_too_slow`
 */
export function probeLatency({ layer, policy }: OpenLayer, limitMs: number): void {
  const input = encodeJsonText(JSON.stringify(plainCall(layer.name)));
  let bestMs = Infinity;
  for (let attempt = 0; attempt < attempts && bestMs > limitMs; attempt += 1) {
    const context = { timeMs: 0, seed: "probe", ndBuiltinCache: createNdBuiltinCache() };
    const startedMs = performance.now();
    policy.evaluate(layer.entrypoints.decision, input, context);
    bestMs = Math.min(bestMs, performance.now() - startedMs);
  }
  if (bestMs <= limitMs) return;
  throw new EngineError(
    "policy_too_slow",
    `expected an answer about a plain call within ${limitMs} ms, found ${Math.round(bestMs)} ms at best of ${attempts}; make the policy cheaper, or raise policy.deadline_ms`,
  );
}

function plainCall(server: string): object {
  const unknown = { version: null, scope: null, owner_team: null, model: null, parent: null };
  const nobody = { id: "probe", ...unknown };
  return {
    version: 1,
    phase: "call",
    agent: { ...nobody, authenticated: false },
    user: { id: "probe", groups: [], data_classifications_authorized: [] },
    action: {
      type: "tool_call",
      direction: "to_server",
      server,
      tool: "probe",
      args: {},
      data_classes_referenced: ["unclassified"],
      labels: [],
      annotations: {},
      destination: { region: null, external: false },
    },
    context: {
      conversation_id: "probe",
      turn_count: 1,
      cumulative_tokens: 0,
      session_age_seconds: 0,
      data_classes_seen: [],
      labels_seen: [],
      servers_called: [],
    },
    environment: { region: null, time: "1970-01-01T00:00:00Z", is_production: false },
    usage: {},
    approval: null,
    layers: {},
  };
}
