/**
 * Decisions of an RBAC policy as a gateway makes and records them: asked of the engine that serves
 * calls, combined by its rules, and written through its decision log into an embedded spool.
 */
import { newId, systemClock } from "../../dist/config/ambient.js";
import { createDecisionLog } from "../../dist/decision/decision-log.js";
import { combine } from "../../dist/policy/combine.js";
import { createPolicyEngine } from "../../dist/policy/engine/policy-engine.js";
import { buildCallInput } from "../../dist/policy/input/build-input.js";

/** Tools of each role. */
export const roles = {
  admin: ["*"],
  support: ["get_customer", "list_tickets", "close_ticket", "export_customers"],
  sales: ["get_customer", "list_deals", "update_deal"],
  auditor: ["get_customer", "list_tickets", "list_deals"],
};
const groups = [...Object.keys(roles), "sales", "support", "sales"];
const tools = ["get_customer", "list_tickets", "close_ticket", "list_deals", "update_deal"];
const inFlight = 64;
const rowsAtOnce = 2048;
const agent = {
  id: "bot",
  version: null,
  scope: "support",
  owner_team: null,
  model: null,
  parent: null,
  authenticated: true,
};

/** @typedef {import("../../dist/contract/record.js").AdmissionRecord} AdmissionRecord */
/** @typedef {ReturnType<typeof createPolicyEngine>} Engine */
/** @typedef {import("../../dist/contract/bundle.js").Bundle} Bundle */

/**
 * Makes so many and records them; `onRecord` is told of each one and which it is.
 *
 * @param {{ stateDir: string, bundle: Bundle, decisions: number,
 *   onRecord: (record: AdmissionRecord, place: number) => void }} wanted
 */
export async function makeHistory({ stateDir, bundle, decisions, onRecord }) {
  const limits = { deadlineMs: 10_000, inputMaxBytes: 1024 * 1024, memoryMaxMb: 64 };
  const engine = createPolicyEngine(limits);
  const log = await openLog(stateDir);
  const [activated] = await engine.activate([{ name: "crm", kind: "server", bundle }]);
  if (activated?.ok !== true) throw activated?.error ?? new Error("the policy is not active");
  for (let from = 0; from < decisions; from += rowsAtOnce) {
    const places = range(from, Math.min(decisions, from + rowsAtOnce));
    const records = await decideAll(engine, places);
    for (const [index, record] of records.entries()) onRecord(record, from + index);
    await Promise.all(records.map((record) => log.admit(record)));
  }
  await engine.close();
  await log.close();
}

/**
 * @param {number} from
 * @param {number} to
 */
function range(from, to) {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/**
 * @param {Engine} engine
 * @param {readonly number[]} places
 */
async function decideAll(engine, places) {
  /** @type {AdmissionRecord[]} */
  const records = [];
  for (let at = 0; at < places.length; at += inFlight) {
    const some = places.slice(at, at + inFlight).map((place) => decide(engine, place));
    records.push(...(await Promise.all(some)));
  }
  return records;
}

/** @param {string} stateDir */
async function openLog(stateDir) {
  const silent = { error: ignore, warn: ignore, info: ignore, debug: ignore, child: () => silent };
  return await createDecisionLog({
    stateDir,
    store: { kind: "embedded" },
    clock: systemClock,
    log: silent,
    newId,
    limits: { spoolMaxBytes: Number.MAX_SAFE_INTEGER },
    onFailure: "fail_operation",
    durability: "sync",
    // They are replayed as they were planted.
    mask: { mask: (_, encoded) => encoded },
  });
}

function ignore() {
  // Nobody reads it.
}

/** @param {number} place */
function inputOf(place) {
  const tool = tools[place % tools.length] ?? "get_customer";
  const user = {
    id: `user${place % 97}`,
    groups: [groups[place % groups.length] ?? "sales"],
    data_classifications_authorized: ["public"],
  };
  const context = {
    conversation_id: `c${place % 50}`,
    turn_count: place % 20,
    cumulative_tokens: place % 5000,
    session_age_seconds: place % 600,
    data_classes_seen: [],
    labels_seen: [],
    data_class_sources: {},
    label_sources: {},
    servers_called: ["crm"],
  };
  const args = { n: place, query: "customers of the last quarter", id: `cus_${place}` };
  return { tool, user, context, args: JSON.stringify(args), region: place % 3 === 0 ? "us" : "eu" };
}

/**
 * @param {Engine} engine
 * @param {number} place
 * @returns {Promise<AdmissionRecord>}
 */
async function decide(engine, place) {
  const { tool, user, context, args, region } = inputOf(place);
  const [timeMs, decisionId] = [systemClock.nowMs(), newId()];
  const parts = buildCallInput({
    actor: { agent, user, environment: { region, is_production: true } },
    client: { name: "bench", version: "1" },
    action: {
      type: "tool_call",
      direction: "to_server",
      server: "crm",
      about: { tool },
      annotations: { readOnlyHint: true },
      definition_digest: `sha256:${"0".repeat(64)}`,
      destination: { region: "eu", external: false },
    },
    sent: { args },
    classification: { dataClasses: ["customer_data"], labels: [] },
    context,
    serverContext: context,
    timeMs,
  });
  const decided = await engine.decide({ server: "crm", parts, timeMs, seed: decisionId });
  const combined = combine({
    decisionId,
    action: { type: "tool_call", server: "crm", tool },
    scope: agent.scope,
    verdicts: decided.verdicts,
    nowMs: timeMs,
    serverCeiling: undefined,
    isApproved: () => false,
    canFulfil: () => true,
  });
  const about = { decisionId, timeMs, tool, user: user.id };
  return recordOf(about, decided, combined);
}

/**
 * @param {{ decisionId: string, timeMs: number, tool: string, user: string }} about
 * @param {Awaited<ReturnType<Engine["decide"]>>} decided
 * @param {ReturnType<typeof combine>} combined
 * @returns {AdmissionRecord}
 */
function recordOf({ decisionId, timeMs, tool, user }, decided, combined) {
  const { inputJson, ndBuiltinCacheJson, verdicts, evalMs, layerMs } = decided;
  return {
    kind: "admission",
    decisionId,
    timeMs,
    tenant: "default",
    agent: agent.id,
    user,
    server: "crm",
    tool,
    exposedName: `crm__${tool}`,
    actionType: "tool_call",
    protocolVersion: "2025-11-25",
    inputJson,
    ndBuiltinCacheJson,
    argsSha256: `sha256:${"0".repeat(64)}`,
    answer: combined.answer,
    layers: verdicts,
    waivers: {
      used: combined.usedWaivers,
      expired: combined.expiredWaivers,
      void: combined.voidWaivers,
    },
    dropped: [],
    timings: { policyMs: evalMs, totalMs: evalMs, layerMs },
    posture: "strict",
  };
}
